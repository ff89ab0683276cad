"""katlab::rational and its gradients on the CPU."""

import itertools

import pytest
import torch
from rational_reference import assert_as_accurate, gradients, horner, rational
from torch.autograd import gradcheck, gradgradcheck

op = torch.ops.katlab.rational
backward = torch.ops.katlab.rational_backward

# (shape of x, numerator groups, denominator groups): KAT's sharing, groups that cross vectors of any width, groups of
# one channel, groups of which neither number divides the other, a dim of 1, odd and prime dims, rank 1 to 4.
LAYOUTS = [
    ((37, 768), 1, 8),
    ((5, 17, 96), 1, 8),
    ((3, 5, 12), 4, 3),
    ((50, 6), 2, 3),
    ((7, 197), 1, 197),
    ((64, 24), 24, 3),
    ((33, 40), 8, 8),
    ((2, 3, 4, 30), 6, 10),
    ((1, 1), 1, 1),
    ((65, 1), 1, 1),
    ((9999,), 3, 1),
    ((20011,), 1, 1),
    ((5, 4099), 4099, 1),
    ((1000, 5), 5, 5),
]


DRAWS = 8


def make(shape, numerator_groups, denominator_groups, dtype=torch.float64, tables=None):
    tables = tables or dtype
    x = torch.randn(shape, dtype=torch.float64) * 1.5
    numerator = torch.randn(numerator_groups, 6, dtype=torch.float64)
    denominator = torch.randn(denominator_groups, 4, dtype=torch.float64)
    return x.to(dtype), numerator.to(tables), denominator.to(tables)


def exact(inputs, upstream):
    return gradients(rational, [t.double() for t in inputs], upstream.double())


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
class TestAccuracy:
    def test_float64(self, layout):
        inputs = make(*layout)
        upstream = torch.randn(layout[0], dtype=torch.float64)
        for ours, truth in zip(gradients(op, inputs, upstream), exact(inputs, upstream)):
            assert (ours - truth).abs().max() <= 1e-13 * truth.abs().max()

    def test_float32(self, layout):
        draws = []
        for _ in range(DRAWS):
            inputs = make(*layout, dtype=torch.float32)
            upstream = torch.randn(layout[0])
            plain = gradients(horner, inputs, upstream)
            draws.append((gradients(op, inputs, upstream), plain, exact(inputs, upstream)))
        assert_as_accurate(draws)

    @pytest.mark.parametrize("tables", [torch.float32, torch.bfloat16])
    def test_bfloat16_computes_in_float32(self, layout, tables):
        draws = []
        for _ in range(DRAWS):
            inputs = make(*layout, dtype=torch.bfloat16, tables=tables)
            upstream = torch.randn(layout[0]).bfloat16()
            results = gradients(op, inputs, upstream)
            assert [t.dtype for t in results] == [torch.bfloat16, torch.bfloat16, tables, tables]
            in_float32 = gradients(horner, [t.float() for t in inputs], upstream.float())
            plain = [value.to(ours.dtype) for value, ours in zip(in_float32, results)]
            draws.append((results, plain, exact(inputs, upstream)))
        assert_as_accurate(draws)


def second(function, inputs, upstream, by):
    """Derivatives of the gradient of a function, weighted, by what it was computed from."""
    leaves = [t.detach().requires_grad_() for t in (upstream, *inputs)]
    first = torch.autograd.grad(function(*leaves[1:]), leaves[1:], leaves[0], create_graph=True)
    return torch.autograd.grad(first, leaves, by)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
class TestAccuracyOfSecondDerivatives:
    def draw(self, layout, dtype):
        inputs = make(*layout, dtype=dtype)
        inputs[2].flatten()[:1] = 0  # where |b| has its kink
        upstream, *by = [torch.randn_like(t) for t in (inputs[0], *inputs)]
        return inputs, upstream, by

    def test_float64(self, layout):
        drawn = self.draw(layout, torch.float64)
        for ours, truth in zip(second(op, *drawn), second(rational, *drawn), strict=True):
            assert (ours - truth).norm() <= 1e-13 * truth.norm()

    def test_float32(self, layout):
        draws = []
        for _ in range(DRAWS):
            inputs, upstream, by = drawn = self.draw(layout, torch.float32)
            wide = [t.double() for t in inputs], upstream.double(), [t.double() for t in by]
            draws.append((second(op, *drawn), second(rational, *drawn), second(rational, *wide)))
        assert_as_accurate(draws)


def test_large_and_shared_sums_keep_their_accuracy():
    inputs = make((4096, 192), 1, 8, dtype=torch.float32)
    upstream = 1 + torch.randn(4096, 192)  # a mean: sums grow with the number of terms
    plain = gradients(horner, inputs, upstream)
    assert_as_accurate([(gradients(op, inputs, upstream), plain, exact(inputs, upstream))])


class TestAutograd:
    @pytest.mark.parametrize(
        "layout", [((2, 3, 4), 1, 2), ((3, 6), 2, 3), ((2, 5), 5, 1), ((4,), 4, 4)], ids=str
    )
    def test_gradcheck_and_gradgradcheck(self, layout):
        # Away from the kinks at x = 0 and b = 0, which differences would straddle.
        x, numerator, denominator = (torch.copysign(t.abs() + 0.1, t).requires_grad_() for t in make(*layout))
        assert gradcheck(op, (x, numerator, denominator))
        assert gradgradcheck(op, (x, numerator, denominator))

    def test_gradcheck_of_the_backward_operator(self):
        inputs = [torch.copysign(t.abs() + 0.1, t).requires_grad_() for t in make((2, 6), 3, 2)]
        upstream = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
        assert gradcheck(backward, (upstream, *inputs))

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_zero_has_the_derivative_from_the_right(self, zero):
        numerator = torch.randn(1, 6, dtype=torch.float64)
        x = torch.full((4,), zero, dtype=torch.float64)
        table = torch.tensor([[0.5, zero, zero, 1.0]], dtype=torch.float64)
        upstream = torch.ones(4, dtype=torch.float64)
        for point in (x, x + 1.5, x - 1.5):
            results = gradients(op, (point, numerator, table), upstream)
            for ours, truth in zip(results, gradients(rational, (point, numerator, table), upstream)):
                torch.testing.assert_close(ours, truth)
        identity = torch.tensor([[0.0, 1, 0, 0, 0, 0]], dtype=torch.float64)
        zeros = torch.full((1, 4), zero, dtype=torch.float64)
        _, _, _, learned = gradients(op, (torch.tensor([2.0]).double(), identity, zeros), torch.ones(1))
        assert learned.tolist() == [[-4.0, -8.0, -16.0, -32.0]]

    @pytest.mark.parametrize("zero", [0.0, -0.0])
    def test_second_derivatives_at_zero_are_from_the_right(self, zero):
        def hessian(function, table):
            inputs = [
                t.requires_grad_() for t in (torch.tensor([1.5, -0.5]).double(), numerator.clone(), table)
            ]
            first = torch.autograd.grad(function(*inputs).sum(), inputs, create_graph=True)
            return torch.autograd.grad(sum((g * g).sum() for g in first), inputs)

        numerator = torch.randn(1, 6, dtype=torch.float64)
        at_zero = hessian(op, torch.full((1, 4), zero, dtype=torch.float64))
        to_the_right = hessian(rational, torch.full((1, 4), 1e-12, dtype=torch.float64))
        for ours, truth in zip(at_zero, to_the_right):
            torch.testing.assert_close(ours, truth, rtol=1e-9, atol=1e-9)

    def test_hessian_vector_product_of_a_loss_whose_gradient_depends_on_x(self):
        x, numerator, denominator = make((5, 12), 2, 3)
        vectors = [torch.randn_like(t) for t in (x, numerator, denominator)]

        def product(function):
            leaves = [t.clone().requires_grad_() for t in (x, numerator, denominator)]
            # x itself is a function of a table: gradients must not be counted through both.
            y = function(leaves[0] * leaves[1].sum(), leaves[1], leaves[2])
            first = torch.autograd.grad((y**3).sum(), leaves, create_graph=True)
            products = torch.autograd.grad(first, leaves, vectors, create_graph=True)
            return [*products, *torch.autograd.grad(products, leaves, vectors)]

        for ours, truth in zip(product(op), product(rational)):
            torch.testing.assert_close(ours, truth, rtol=1e-9, atol=1e-9)

    def test_only_the_inputs_are_saved(self):
        saved = []
        inputs = [t.requires_grad_() for t in make((6, 8), 1, 2)]
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.shape) or t, lambda t: t):
            op(*inputs)
        assert saved == [t.shape for t in inputs]

    def test_some_inputs_need_no_gradient(self):
        for needs in itertools.product([True, False], repeat=3):
            inputs = [t.requires_grad_(need) for t, need in zip(make((3, 4), 2, 1), needs)]
            y = op(*inputs)
            assert y.requires_grad == any(needs)
            if y.requires_grad:
                y.sum().backward()
            assert [t.grad is not None for t in inputs] == list(needs)


class TestDeterminism:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    @pytest.mark.parametrize("layout", [((1040, 768), 1, 8), ((5000, 12), 3, 4), ((300001,), 1, 1)], ids=str)
    def test_same_bits_for_any_number_of_threads(self, layout, dtype, threads):
        inputs = make(*layout, dtype=dtype, tables=torch.float32)
        upstream = torch.randn(layout[0]).to(dtype)
        runs = []
        for count in (1, 2, 3, 2):
            threads(count)
            runs.append([op(*inputs), *backward(upstream, *inputs)])
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(runs[0], run))


class TestLayoutsInMemory:
    @pytest.mark.parametrize(
        "view",
        [
            lambda t: t.transpose(0, 2),
            lambda t: t[:, ::2],
            lambda t: t[..., 4:],
            lambda t: t[:1].expand(5, -1, -1),
            lambda t: t.flip(0)[1:],
        ],
    )
    def test_views_give_what_copies_give(self, view):
        x = view(torch.randn(8, 8, 8))
        upstream = view(torch.randn(8, 8, 8))
        numerator, denominator = torch.randn(2, 12)[:, ::2], torch.randn(4, 4).t()
        ours = gradients(op, (x, numerator, denominator), upstream)
        copies = [t.contiguous() for t in (x, numerator, denominator)]
        for a, b in zip(ours, gradients(op, copies, upstream.contiguous())):
            assert torch.equal(a, b)
        assert ours[0].is_contiguous()

    @pytest.mark.parametrize("shape", [(0, 8), (3, 0), (2, 0, 8), (0,)])
    def test_empty_tensors(self, shape):
        results = gradients(op, make(shape, 1, 2), torch.empty(shape))
        assert [list(t.shape) for t in results] == [list(shape), list(shape), [1, 6], [2, 4]]
        assert not results[2].any() and not results[3].any()

    def test_a_tensor_that_starts_between_vectors(self):
        whole = torch.randn(1 + 5 * 48)
        x = whole[1:].view(5, 48)
        _, numerator, denominator = make((5, 48), 1, 8, dtype=torch.float32)
        assert torch.equal(op(x, numerator, denominator), op(x.clone(), numerator, denominator))


class TestSpecialValues:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_nan_and_infinity_stay_where_they_are(self, dtype):
        x, numerator, denominator = make((4, 40), 1, 8, dtype=dtype)
        clean = op(x, numerator, denominator)
        x[1, 3], x[2, 39] = float("nan"), float("inf")
        y = op(x, numerator, denominator)
        assert y[1, 3].isnan() and not y[2, 39].isfinite()
        touched = torch.zeros_like(x, dtype=torch.bool)
        touched[1, 3] = touched[2, 39] = True
        assert torch.equal(y[~touched], clean[~touched])

    def test_a_spoilt_coefficient_spoils_its_group_only(self):
        x, numerator, denominator = make((4, 40), 1, 8, dtype=torch.float32)
        denominator[2, 1] = float("nan")
        results = gradients(op, (x, numerator, denominator), torch.ones(4, 40))
        spoilt = torch.zeros(40, dtype=torch.bool)
        spoilt[10:15] = True
        assert torch.equal(results[0].isnan().all(0), spoilt)
        assert torch.equal(results[1].isnan().all(0), spoilt)
        assert results[2].isnan().all()
        assert torch.equal(results[3].isnan().all(1), torch.arange(8) == 2)

    def test_huge_values(self):
        numerator = torch.tensor([[0.0, 0.5, 0.25, 0.05, 0.006, 0.0003]])
        denominator = torch.tensor([[0.0, 0.1, 0.0, 0.0005]])
        x = torch.tensor([1e4, -1e4, 1e6, -1e6])
        truth = rational(x.double(), numerator.double(), denominator.double())
        torch.testing.assert_close(op(x, numerator, denominator).double(), truth, rtol=1e-6, atol=0)

    def test_nan_survives_rounding_to_bfloat16(self):
        # All mantissa bits set: rounding must not carry it into infinity or zero.
        x = torch.tensor([0x7FFF, -1], dtype=torch.int16).view(torch.bfloat16)
        assert op(x, torch.ones(1, 6), torch.ones(1, 4)).isnan().all()


class TestDispatcher:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_opcheck(self, dtype):
        inputs = [t.requires_grad_() for t in make((3, 5, 12), 4, 3, dtype=dtype, tables=torch.float32)]
        torch.library.opcheck(op, inputs)
        torch.library.opcheck(backward, (torch.randn(3, 5, 12).to(dtype), *[t.detach() for t in inputs]))

    def test_compiles_without_graph_breaks(self):
        inputs = [t.requires_grad_() for t in make((6, 12), 1, 3)]
        compiled = torch.compile(lambda *t: op(*t).sin(), backend="aot_eager", fullgraph=True)
        ours = torch.autograd.grad(compiled(*inputs).sum(), inputs)
        for a, b in zip(ours, torch.autograd.grad(op(*inputs).sin().sum(), inputs)):
            assert torch.equal(a, b)


class TestMessages:
    x = torch.randn(2, 12)
    a = torch.randn(3, 6)
    b = torch.randn(4, 4)

    @pytest.mark.parametrize(
        "kind, text, call",
        [
            (
                ValueError,
                r"numerator must have shape \[groups, 1 to 9\]; got \[3, 10\]",
                lambda s: op(s.x, torch.zeros(3, 10), s.b),
            ),
            (
                ValueError,
                r"denominator must have shape \[groups, 1 to 8\]; got \[4\]",
                lambda s: op(s.x, s.a, s.b[0]),
            ),
            (
                ValueError,
                r"denominator must have shape \[groups, 1 to 9\]; got \[4, 0\]",
                lambda s: op(s.x, s.a, s.b[:, :0], "C"),
            ),
            (ValueError, r"form must be A, B, C or N; got D", lambda s: op(s.x, s.a, s.b, "D")),
            (ValueError, r"axis must be one of the 2 axes of x; got 2", lambda s: op(s.x, s.a, s.b, axis=2)),
            (
                ValueError,
                r"dim \(2\) must be a multiple of the groups of numerator \(3\)",
                lambda s: op(s.x, s.a, s.b, axis=0),
            ),
            (
                ValueError,
                r"numerator must have at most dim \(2\) groups; got 3",
                lambda s: op(s.x[:, :2], s.a, s.b, uneven=True),
            ),
            (ValueError, r"numerator must have shape .*; got \[0, 6\]", lambda s: op(s.x, s.a[:0], s.b)),
            (
                ValueError,
                r"dim \(10\) must be a multiple of the groups of numerator \(3\)",
                lambda s: op(s.x[:, :10], s.a, s.b),
            ),
            (
                ValueError,
                r"dim \(9\) must be a multiple of the groups of denominator \(4\)",
                lambda s: op(s.x[:, :9], s.a, s.b),
            ),
            (ValueError, r"x must have an axis of channels; got a scalar", lambda s: op(s.x[0, 0], s.a, s.b)),
            (
                TypeError,
                r"x must be float32, float64 or bfloat16; got Long",
                lambda s: op(s.x.long(), s.a, s.b),
            ),
            (TypeError, r"x must be .*; got Half", lambda s: op(s.x.half(), s.a.half(), s.b.half())),
            (
                TypeError,
                r"numerator must have the type of x \(Float\).*Double",
                lambda s: op(s.x, s.a.double(), s.b),
            ),
            (
                TypeError,
                r"denominator must have the type of numerator \(Float\); got BFloat16",
                lambda s: op(s.x.bfloat16(), s.a, s.b.bfloat16()),
            ),
            (ValueError, r"grad must have the shape of x", lambda s: backward(s.x[:1], s.x, s.a, s.b)),
            (TypeError, r"grad must have the type of x", lambda s: backward(s.x.double(), s.x, s.a, s.b)),
        ],
    )
    def test_say_which_argument_and_what_must_hold(self, kind, text, call):
        with pytest.raises(kind, match=text):
            call(self)

    def test_meta_tensors_obey_the_same_rules(self):
        with pytest.raises(ValueError, match="must be a multiple"):
            op(self.x[:, :10].to("meta"), self.a.to("meta"), self.b.to("meta"))
        assert op(self.x.to("meta"), self.a.to("meta"), self.b.to("meta")).shape == (2, 12)
