"""katlab::rational on a CUDA device against the CPU in float64."""

import pytest
import torch
from rational_reference import assert_as_accurate, gradients, horner, rational
from test_rational import DRAWS, LAYOUTS, backward, exact, make, op
from torch.autograd import gradcheck, gradgradcheck

if not torch.cuda.is_available():
    pytest.skip("this PyTorch sees no CUDA device", allow_module_level=True)

# Beyond the CPU's: whole tiles, several tiles across, groups wider than a block, KAT's own shapes.
CUDA_LAYOUTS = [
    *LAYOUTS,
    ((197, 768), 1, 8),
    ((2, 197, 3072), 1, 8),
    ((300, 192), 1, 8),
    ((3, 2400), 1, 2),
    ((9, 300), 1, 300),
]


def on_device(inputs):
    return [t.cuda() for t in inputs]


def on_host(results):
    return [t.cpu() for t in results]


@pytest.mark.parametrize("layout", CUDA_LAYOUTS, ids=str)
class TestAccuracy:
    def test_float64(self, layout):
        inputs = make(*layout)
        upstream = torch.randn(layout[0], dtype=torch.float64)
        ours = on_host(gradients(op, on_device(inputs), upstream.cuda()))
        for result, truth in zip(ours, exact(inputs, upstream)):
            assert (result - truth).abs().max() <= 1e-13 * truth.abs().max()

    def test_float32(self, layout):
        draws = []
        for _ in range(DRAWS):
            inputs = make(*layout, dtype=torch.float32)
            upstream = torch.randn(layout[0])
            results = on_host(gradients(op, on_device(inputs), upstream.cuda()))
            plain = on_host(gradients(horner, on_device(inputs), upstream.cuda()))
            draws.append((results, plain, exact(inputs, upstream)))
        assert_as_accurate(draws)

    @pytest.mark.parametrize("tables", [torch.float32, torch.bfloat16])
    def test_bfloat16_computes_in_float32(self, layout, tables):
        draws = []
        for _ in range(DRAWS):
            inputs = make(*layout, dtype=torch.bfloat16, tables=tables)
            upstream = torch.randn(layout[0]).bfloat16()
            results = on_host(gradients(op, on_device(inputs), upstream.cuda()))
            assert [t.dtype for t in results] == [torch.bfloat16, torch.bfloat16, tables, tables]
            in_float32 = gradients(horner, on_device(t.float() for t in inputs), upstream.float().cuda())
            plain = [value.cpu().to(ours.dtype) for value, ours in zip(in_float32, results)]
            draws.append((results, plain, exact(inputs, upstream)))
        assert_as_accurate(draws)


def test_sums_of_a_whole_batch_keep_their_accuracy():
    inputs = make((25216, 768), 1, 8, dtype=torch.float32)
    upstream = 1 + torch.randn(25216, 768)
    results = on_host(gradients(op, on_device(inputs), upstream.cuda()))
    plain = on_host(gradients(horner, on_device(inputs), upstream.cuda()))
    assert_as_accurate([(results, plain, exact(inputs, upstream))])


@pytest.mark.parametrize("layout", [((2, 3, 4), 1, 2), ((3, 6), 2, 3), ((2, 5), 5, 1)], ids=str)
def test_gradcheck_and_gradgradcheck(layout):
    inputs = [torch.copysign(t.abs() + 0.1, t).cuda().requires_grad_() for t in make(*layout)]
    assert gradcheck(op, inputs)
    assert gradgradcheck(op, inputs)


def second(inputs, upstream, by):
    """Derivatives of rational_backward's results, weighted, by its arguments."""
    leaves = [t.detach().requires_grad_() for t in (upstream, *inputs)]
    return torch.autograd.grad(backward(*leaves), leaves, by)


@pytest.mark.parametrize("layout", CUDA_LAYOUTS, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-4)])
def test_second_derivatives_are_those_of_the_cpu(layout, dtype, tolerance):
    inputs = [t.to(dtype).double() for t in make(*layout)]
    inputs[0].flatten()[:1] = 0  # where |x| and |b| have their kinks
    inputs[2].flatten()[:1] = 0
    upstream = torch.randn(layout[0]).double()
    by = [torch.randn_like(t) for t in inputs]
    expected = second(inputs, upstream, by)
    found = second(
        [t.to(dtype).cuda() for t in inputs], upstream.to(dtype).cuda(), [t.to(dtype).cuda() for t in by]
    )
    for own, reference in zip(found, expected, strict=True):
        error = (own.cpu().double() - reference).norm() / (reference.norm() + 1e-30)
        assert error < tolerance


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [((25216, 768), 1, 8), ((5000, 12), 3, 4), ((300001,), 1, 1)], ids=str)
def test_same_bits_in_every_run(layout, dtype):
    inputs = on_device(make(*layout, dtype=dtype, tables=torch.float32))
    upstream = torch.randn(layout[0]).to(dtype).cuda()
    first = [op(*inputs), *backward(upstream, *inputs)]
    noise = torch.randn(4096, 4096, device="cuda")
    for _ in range(5):
        noise @ noise  # other work on the device
        for a, b in zip(first, [op(*inputs), *backward(upstream, *inputs)]):
            assert torch.equal(a, b)


def test_zero_has_the_derivative_from_the_right():
    identity = torch.tensor([[0.0, 1, 0, 0, 0, 0]], device="cuda")
    for zero in (0.0, -0.0):
        x = torch.tensor([2.0, zero], device="cuda")
        table = torch.full((1, 4), zero, device="cuda")
        _, _, _, learned = gradients(op, (x, identity, table), torch.ones(2, device="cuda"))
        assert learned.tolist() == [[-4.0, -8.0, -16.0, -32.0]]
        kink = torch.tensor([[1.0, 1, 0, 0]], device="cuda")
        inputs = (x, identity + 1, kink)
        upstream = torch.ones(2, device="cuda")
        for ours, truth in zip(gradients(op, inputs, upstream), gradients(rational, inputs, upstream)):
            torch.testing.assert_close(ours, truth)


def test_nan_and_infinity_stay_where_they_are():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x, numerator, denominator = on_device(make((4, 40), 1, 8, dtype=dtype))
        clean = op(x, numerator, denominator)
        x[1, 3], x[2, 39] = float("nan"), float("inf")
        y = op(x, numerator, denominator)
        assert y[1, 3].isnan() and not y[2, 39].isfinite()
        touched = torch.zeros_like(x, dtype=torch.bool)
        touched[1, 3] = touched[2, 39] = True
        assert torch.equal(y[~touched], clean[~touched])


@pytest.mark.parametrize(
    "view", [lambda t: t.transpose(0, 2), lambda t: t[..., 4:], lambda t: t[:1].expand(5, -1, -1)]
)
def test_views_give_what_copies_give(view):
    x, upstream = view(torch.randn(8, 8, 8, device="cuda")), view(torch.randn(8, 8, 8, device="cuda"))
    numerator, denominator = torch.randn(2, 12, device="cuda")[:, ::2], torch.randn(4, 4, device="cuda").t()
    copies = [t.contiguous() for t in (x, numerator, denominator)]
    ours = gradients(op, (x, numerator, denominator), upstream)
    for a, b in zip(ours, gradients(op, copies, upstream.contiguous())):
        assert torch.equal(a, b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("offset", [1, 2, 3])
def test_a_tensor_that_starts_between_vectors(dtype, offset):
    whole = torch.randn(offset + 5 * 64, device="cuda").to(dtype)
    _, numerator, denominator = on_device(make((5, 64), 1, 8, dtype=dtype))
    x = whole[offset:].view(5, 64)
    upstream = torch.randn(offset + 5 * 64, device="cuda").to(dtype)[offset:].view(5, 64)
    copy = gradients(op, (x.clone(), numerator, denominator), upstream.clone())
    for a, b in zip(gradients(op, (x, numerator, denominator), upstream), copy):
        assert torch.equal(a, b)


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (2, 0, 8)])
def test_empty_tensors(shape):
    results = gradients(op, on_device(make(shape, 1, 2)), torch.empty(shape, device="cuda"))
    assert [list(t.shape) for t in results] == [list(shape), list(shape), [1, 6], [2, 4]]
    assert not results[2].any() and not results[3].any()


def test_runs_on_the_current_stream():
    stream = torch.cuda.Stream()
    inputs = on_device(make((4096, 768), 1, 8, dtype=torch.float32))
    with torch.cuda.stream(stream):
        # Late on this stream, so that a launch on another one would read x too early.
        torch.cuda._sleep(100_000_000)
        shifted = inputs[0] + 1
        y = op(shifted, *inputs[1:])
    stream.synchronize()
    assert torch.equal(y, op(inputs[0] + 1, *inputs[1:]))


def test_can_be_captured_in_a_graph():
    inputs = on_device(make((1024, 768), 1, 8, dtype=torch.bfloat16, tables=torch.float32))
    upstream = torch.randn(1024, 768, device="cuda").bfloat16()
    expected = [op(*inputs), *backward(upstream, *inputs)]  # compiles: not allowed during capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = [op(*inputs), *backward(upstream, *inputs)]
    for result in results:
        result.zero_()
    graph.replay()
    torch.cuda.synchronize()
    assert all(torch.equal(a, b) for a, b in zip(results, expected))


def test_runs_on_every_device():
    for index in range(torch.cuda.device_count()):
        inputs = [t.to(f"cuda:{index}") for t in make((64, 96), 1, 8, dtype=torch.float32)]
        truth = rational(*[t.double() for t in inputs])
        torch.testing.assert_close(op(*inputs).double(), truth, rtol=1e-5, atol=1e-5)


def test_refuses_tables_on_another_device():
    x, numerator, denominator = make((4, 8), 1, 8)
    with pytest.raises(ValueError, match="numerator must be on the device of x"):
        op(x.cuda(), numerator, denominator)


def test_opcheck():
    inputs = [t.cuda().requires_grad_() for t in make((3, 5, 12), 4, 3, dtype=torch.float32)]
    torch.library.opcheck(op, inputs)
