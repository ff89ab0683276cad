"""katlab::rational in every form, degree, grouping and layout; on the GPU too, where there is one."""

from functools import partial

import pytest
import torch
from rational_reference import assert_as_accurate, denominator_parts, gradients, horner, rational
from torch.autograd import gradcheck, gradgradcheck

op = torch.ops.katlab.rational
backward = torch.ops.katlab.rational_backward

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
FORMS = "ABCN"
DEGREES = [(5, 4), (3, 2), (8, 8), (0, 1), (2, 7), (7, 1)]
# (shape, axis of the channels, numerator groups, denominator groups): shared, per group, per channel, neither dividing
# the other; channels last, first, in the middle; groups that do not divide the channels, as many as channels less one.
LAYOUTS = [
    ((37, 96), -1, 1, 8),
    ((5, 7, 12), -1, 12, 3),
    ((50, 6), -1, 2, 3),
    ((131,), -1, 1, 1),
    ((3, 8, 5, 7), 1, 1, 8),
    ((4, 6, 32), 1, 3, 2),
    ((9, 4), 0, 9, 1),
    ((2, 5, 3, 4), -3, 5, 1),
    ((33, 255), -1, 8, 1),
    ((6, 13), -1, 5, 12),
    ((3, 7, 4, 4), 1, 2, 3),
]
DRAWS = 4  # of each layout

pytestmark = pytest.mark.parametrize("device", DEVICES)
every_form = pytest.mark.parametrize("form", FORMS)
every_degree = pytest.mark.parametrize("degrees", DEGREES, ids=str)
every_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=str)


def make(form, degrees, layout, dtype=torch.float64, tables=None):
    """Inputs whose denominators are well conditioned: at a zero of the sum (a kink of B and C, near a pole of N) the
    sign that rounding leaves would be compared."""
    shape, axis, numerator_groups, denominator_groups = layout
    numerator = torch.randn(numerator_groups, degrees[0] + 1, dtype=torch.float64)
    denominator = torch.randn(denominator_groups, degrees[1] + (form == "C"), dtype=torch.float64)
    numerator, denominator = (t.to(tables or dtype) for t in (numerator, denominator))
    x = (torch.randn(shape, dtype=torch.float64) * 1.5).to(dtype)
    for _ in range(200):
        terms, constant = denominator_parts(x.double(), denominator.double(), form, axis)
        total, size = sum(terms), sum(term.abs() for term in terms)
        judged, size = (total + constant, size + constant) if form == "N" else (total, size)
        poor = (judged.abs() <= 0.05 * size).expand(shape) if form != "A" else torch.zeros(shape, dtype=torch.bool)
        if not poor.any():
            return x, numerator, denominator
        x = torch.where(poor, (torch.randn(shape, dtype=torch.float64) * 1.5).to(dtype), x)
    raise AssertionError("no well conditioned draw")


def of(function, form, layout):
    return partial(function, form=form, axis=layout[1], uneven=True)


def exact(form, layout, inputs, upstream):
    return gradients(of(rational, form, layout), [t.double() for t in inputs], upstream.double())


def on(device, tensors):
    return [t.to(device) for t in tensors]


def second(function, inputs, upstream, by):
    """Derivatives of the gradient of a function, weighted, by what it was computed from."""
    leaves = [t.detach().requires_grad_() for t in (upstream, *inputs)]
    first = torch.autograd.grad(
        function(*leaves[1:]), leaves[1:], leaves[0], create_graph=True, materialize_grads=True
    )
    return torch.autograd.grad(first, leaves, by, materialize_grads=True)


@every_form
@every_degree
class TestAccuracyOverLayouts:
    def test_float32(self, device, form, degrees):
        draws = []
        for layout in LAYOUTS * DRAWS:
            inputs = make(form, degrees, layout, dtype=torch.float32)
            upstream = torch.randn(layout[0])
            ours, plain = (
                on("cpu", gradients(of(f, form, layout), on(device, inputs), upstream.to(device)))
                for f in (op, horner)
            )
            draws.append((ours, plain, exact(form, layout, inputs, upstream)))
        assert_as_accurate(draws)

    @pytest.mark.parametrize("tables", [torch.float32, torch.bfloat16])
    def test_bfloat16_computes_in_float32(self, device, form, degrees, tables):
        draws = []
        for layout in LAYOUTS * DRAWS:
            inputs = make(form, degrees, layout, dtype=torch.bfloat16, tables=tables)
            upstream = torch.randn(layout[0]).bfloat16()
            ours = on("cpu", gradients(of(op, form, layout), on(device, inputs), upstream.to(device)))
            assert [t.dtype for t in ours] == [torch.bfloat16, torch.bfloat16, tables, tables]
            wide = gradients(of(horner, form, layout), [t.float() for t in inputs], upstream.float())
            plain = [value.to(own.dtype) for value, own in zip(wide, ours, strict=True)]
            draws.append((ours, plain, exact(form, layout, inputs, upstream)))
        assert_as_accurate(draws)

    def test_second_derivatives_in_float32(self, device, form, degrees):
        draws = []
        for layout in LAYOUTS * DRAWS:
            inputs = make(form, degrees, layout, dtype=torch.float32)
            upstream, *by = (torch.randn_like(t) for t in (inputs[0], *inputs))
            ours, plain = (
                on("cpu", second(of(f, form, layout), on(device, inputs), upstream.to(device), on(device, by)))
                for f in (op, horner)
            )
            wide = [t.double() for t in inputs], upstream.double(), [t.double() for t in by]
            draws.append((ours, plain, second(of(rational, form, layout), *wide)))
        assert_as_accurate(draws)


@every_form
@every_degree
@every_layout
class TestAccuracy:
    def test_float64(self, device, form, degrees, layout):
        inputs = make(form, degrees, layout)
        upstream = torch.randn(layout[0], dtype=torch.float64)
        ours = on("cpu", gradients(of(op, form, layout), on(device, inputs), upstream.to(device)))
        for result, truth in zip(ours, exact(form, layout, inputs, upstream), strict=True):
            assert (result - truth).abs().max() <= 1e-12 * truth.abs().max()

    def test_second_derivatives(self, device, form, degrees, layout):
        inputs = make(form, degrees, layout)
        upstream, *by = (torch.randn_like(t) for t in (inputs[0], *inputs))
        ours = second(of(op, form, layout), on(device, inputs), upstream.to(device), on(device, by))
        expected = second(of(rational, form, layout), inputs, upstream, by)
        for result, truth in zip(ours, expected, strict=True):
            assert (result.cpu() - truth).norm() <= 1e-11 * truth.norm()


SMALL = [((2, 3, 4), -1, 1, 2), ((3, 5), -1, 2, 3), ((2, 4, 3), 1, 4, 2)]


@every_form
@pytest.mark.parametrize("degrees", [(5, 4), (0, 1), (3, 8)], ids=str)
@pytest.mark.parametrize("layout", SMALL, ids=str)
class TestAutograd:
    def inputs(self, device, form, degrees, layout):
        # Away from kinks, which differences would straddle: those of form A are at x = 0 and b = 0.
        drawn = make(form, degrees, layout)
        if form == "A":
            drawn = [torch.copysign(t.abs() + 0.1, t) for t in drawn]
        return [t.to(device).requires_grad_() for t in drawn]

    def test_gradcheck_and_gradgradcheck(self, device, form, degrees, layout):
        inputs = self.inputs(device, form, degrees, layout)
        assert gradcheck(of(op, form, layout), inputs)
        assert gradgradcheck(of(op, form, layout), inputs)

    def test_third_derivatives(self, device, form, degrees, layout):
        inputs = self.inputs(device, form, degrees, layout)

        def third(function):
            first = torch.autograd.grad(function(*inputs).square().sum(), inputs, create_graph=True)
            energy = sum((g * g).sum() for g in first)
            return torch.autograd.grad(energy, inputs, create_graph=True)

        for ours, truth in zip(
            torch.autograd.grad(sum((g * g).sum() for g in third(of(op, form, layout))), inputs),
            torch.autograd.grad(sum((g * g).sum() for g in third(of(rational, form, layout))), inputs),
            strict=True,
        ):
            torch.testing.assert_close(ours, truth, rtol=1e-7, atol=1e-9 * truth.abs().max().item())


@every_form
class TestMemory:
    @pytest.mark.parametrize(
        "view",
        [
            lambda t: t.contiguous(memory_format=torch.channels_last),
            lambda t: t.transpose(2, 3),
            lambda t: t[:, :, ::2],
            lambda t: t[..., 1:],
            lambda t: t[:1].expand(3, -1, -1, -1),
        ],
    )
    def test_views_give_what_copies_give(self, device, form, view):
        layout = ((4, 6, 8, 8), 1, 3, 2)
        x, numerator, denominator = on(device, make(form, (5, 4), layout, dtype=torch.float32))
        x, upstream = view(x), view(torch.randn(4, 6, 8, 8, device=device))
        ours = gradients(of(op, form, layout), (x, numerator, denominator), upstream)
        copy = gradients(of(op, form, layout), (x.contiguous(), numerator, denominator), upstream.contiguous())
        assert ours[0].is_contiguous()
        assert all(torch.equal(a, b) for a, b in zip(ours, copy, strict=True))

    def test_channels_anywhere_give_what_channels_last_give(self, device, form):
        layout = ((3, 7, 4, 5), 1, 2, 3)
        x, numerator, denominator = on(device, make(form, (4, 3), layout, dtype=torch.float32))
        first = op(x, numerator, denominator, form, 1, True)
        last = op(x.movedim(1, -1), numerator, denominator, form, -1, True)
        torch.testing.assert_close(first, last.movedim(-1, 1), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("shape, axis", [((0, 8), 1), ((3, 0), 1), ((2, 0, 8), -1), ((2, 8, 0), 1), ((0,), 0)])
    def test_empty_tensors(self, device, form, shape, axis):
        tables = torch.randn(1, 6, device=device), torch.randn(2, 4, device=device)
        x = torch.empty(shape, device=device)
        results = gradients(partial(op, form=form, axis=axis), (x, *tables), x)
        assert [list(t.shape) for t in results] == [list(shape), list(shape), [1, 6], [2, 4]]
        assert not results[2].any() and not results[3].any()

    @pytest.mark.parametrize("layout", [((1040, 96), -1, 1, 8), ((70, 255), -1, 8, 3), ((8, 24, 14, 14), 1, 1, 8)])
    def test_same_bits_for_any_number_of_threads_and_in_every_run(self, device, form, layout, threads):
        inputs = on(device, make(form, (6, 5), layout, dtype=torch.float32))
        upstream = torch.randn(layout[0], device=device)
        runs = []
        for count in (1, 2, 3, 2):
            threads(count)
            runs.append([op(*inputs, form, layout[1], True), *backward(upstream, *inputs, form, layout[1], True)])
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(runs[0], run, strict=True))


@every_form
class TestSpecialValues:
    def test_nan_and_infinity_stay_where_they_are(self, device, form):
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            layout = ((4, 40), -1, 1, 8)
            x, numerator, denominator = on(device, make(form, (5, 4), layout, dtype=dtype))
            clean = op(x, numerator, denominator, form)
            x[1, 3], x[2, 39] = float("nan"), float("inf")
            y = op(x, numerator, denominator, form)
            touched = torch.zeros_like(x, dtype=torch.bool)
            touched[1, 3] = touched[2, 39] = True
            assert y[1, 3].isnan() and not y[2, 39].isfinite()
            assert torch.equal(y[~touched], clean[~touched])

    def test_a_spoilt_coefficient_spoils_its_group_only(self, device, form):
        layout = ((4, 13), -1, 1, 5)  # uneven: channels 6 and 7 belong to group 2
        x, numerator, denominator = on(device, make(form, (5, 4), layout, dtype=torch.float32))
        denominator[2, 1] = float("nan")
        ours = gradients(of(op, form, layout), (x, numerator, denominator), torch.ones(4, 13, device=device))
        spoilt = torch.arange(13) * 5 // 13 == 2
        assert torch.equal(ours[0].isnan().all(0).cpu(), spoilt)
        assert torch.equal(ours[0].isnan().any(0).cpu(), spoilt)
        assert torch.equal(ours[3].isnan().any(1).cpu(), torch.arange(5) == 2)

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_at_a_zero_of_the_bars_derivatives_have_sign_plus_one(self, device, form, zero):
        tables = torch.tensor([[0.5, 1.0, -2.0]]).double(), torch.full((1, 3), zero).double()
        upstream = torch.ones(3, device=device).double()
        inputs = on(device, (torch.tensor([zero, 1.5, -1.5]).double(), *tables))
        ours = gradients(partial(op, form=form), inputs, upstream)
        for result, truth in zip(ours, gradients(partial(rational, form=form), inputs, upstream), strict=True):
            torch.testing.assert_close(result, truth)
        assert ours[3].all()  # a denominator of zeros learns

    def test_huge_values(self, device, form):
        numerator, denominator = torch.tensor([[0.0, 0.5, 0.25]]), torch.tensor([[0.5, 0.1, 0.25]])
        x = torch.tensor([1e4, -1e4, 1e9, -1e9])
        truth = rational(x.double(), numerator.double(), denominator.double(), form)
        ours = op(*on(device, (x, numerator, denominator)), form).cpu()
        torch.testing.assert_close(ours.double(), truth, rtol=1e-6, atol=0)


def test_form_n_is_infinite_at_a_pole(device):
    at_pole, beside = op(*on(device, (torch.tensor([2.0, -1.0]), torch.ones(1, 1), torch.tensor([[-0.5]]))), "N")
    assert at_pole.isinf()
    assert beside.item() == pytest.approx(2 / 3)


@every_form
@pytest.mark.parametrize("layout", [((3, 5, 12), -1, 4, 3), ((3, 7, 2, 2), 1, 2, 3)], ids=str)
class TestDispatcher:
    def test_opcheck(self, device, form, layout):
        inputs = on(device, make(form, (4, 3), layout, dtype=torch.float32))
        options = form, layout[1], True
        torch.library.opcheck(op, (*[t.clone().requires_grad_() for t in inputs], *options))
        torch.library.opcheck(backward, (torch.randn(layout[0], device=device), *inputs, *options))

    def test_compiles_without_graph_breaks(self, device, form, layout):
        inputs = [t.requires_grad_() for t in on(device, make(form, (4, 3), layout))]
        function = of(op, form, layout)
        compiled = torch.compile(lambda *t: function(*t).sin(), backend="aot_eager", fullgraph=True)
        ours = torch.autograd.grad(compiled(*inputs).sum(), inputs)
        for a, b in zip(ours, torch.autograd.grad(function(*inputs).sin().sum(), inputs), strict=True):
            assert torch.equal(a, b)
