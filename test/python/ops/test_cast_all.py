"""katlab::cast_all: a list of tensors in another type, and back for gradients."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

cast_all = torch.ops.katlab.cast_all
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


def tensors(*shapes, device="cpu", dtype=torch.float32):
    return [torch.randn(shape, dtype=dtype, device=device).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.float32])
def test_is_the_cast_of_each(device, dtype):
    given = tensors((3, 4), (), (0, 5), (2, 3, 4, 5), device=device)
    given.append(given[0].t())  # strides of its own
    for result, tensor in zip(cast_all(given, dtype), given, strict=True):
        assert result.dtype == dtype
        assert result.data_ptr() != tensor.data_ptr() or tensor.numel() == 0
        assert torch.equal(result, tensor.to(dtype))


@pytest.mark.parametrize("device", DEVICES)
def test_gradients_are_in_the_type_of_the_inputs(device):
    a, b, c = tensors((3, 4), (7,), (2,), device=device)
    narrow = cast_all([a, b, c], torch.bfloat16)
    weights = [torch.randn_like(narrow[0]), torch.randn_like(narrow[1])]
    loss = (narrow[0] * weights[0]).sum() + (narrow[1] * weights[1]).sum()
    grads = torch.autograd.grad(loss, [a, b, c], allow_unused=True)
    assert [grad is None for grad in grads] == [False, False, True]
    for grad, weight in zip(grads, weights, strict=False):
        assert grad.dtype == torch.float32
        assert torch.equal(grad, weight.float())


def test_a_tensor_used_in_both_types_has_the_sum_of_both_gradients():
    (a,) = tensors((4,))
    (narrow,) = cast_all([a], torch.bfloat16)
    (grad,) = torch.autograd.grad((narrow * 2).sum().float() + (a * 3).sum(), [a])
    assert torch.equal(grad, torch.full((4,), 5.0))


def test_first_and_second_derivatives():
    given = tensors((3, 2), (4,), dtype=torch.float64)

    def cube(*inputs):
        return [x**3 for x in cast_all(list(inputs), torch.float64)]

    assert gradcheck(cube, given)
    assert gradgradcheck(cube, given)


def test_records_nothing_without_gradients():
    (a,) = tensors((3,))
    with torch.no_grad():
        assert not cast_all([a], torch.bfloat16)[0].requires_grad
    assert not cast_all([a.detach()], torch.bfloat16)[0].requires_grad


def test_shapes_without_data():
    meta = [torch.empty(3, 4, device="meta"), torch.empty(0, device="meta")]
    assert [(t.shape, t.dtype) for t in cast_all(meta, torch.bfloat16)] == [
        (t.shape, torch.bfloat16) for t in meta
    ]


def test_an_empty_list():
    assert cast_all([], torch.bfloat16) == []


def test_opcheck():
    torch.library.opcheck(cast_all.default, (tensors((3,), (2, 2)), torch.bfloat16))


@pytest.mark.parametrize(
    ("given", "dtype", "text"),
    [
        ([torch.ones(2), torch.ones(2).double()], torch.bfloat16, "floats of one type; got Float and Double"),
        ([torch.ones(2).int()], torch.bfloat16, "floats of one type; got Int"),
        ([torch.ones(2)], torch.int32, "type must be one of floats; got Int"),
    ],
)
def test_refuses_other_types(given, dtype, text):
    with pytest.raises(TypeError, match=text):
        cast_all(given, dtype)
