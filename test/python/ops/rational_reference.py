"""katlab::rational written a second time, as plain PyTorch, and the rule by which results are judged."""

import torch


def sign_from_right(t):
    """The sign in every derivative of |t|: +1 at zero."""
    return torch.where(t < 0, -1.0, 1.0).to(t.dtype)


def rational(x, numerator, denominator):
    """P(x) / (1 + sum |b_j| |x|^j) by powers, differentiable by autograd with sign(0) = +1."""
    dim = x.shape[-1]
    a = numerator.repeat_interleave(dim // numerator.shape[0], 0)
    b = denominator.repeat_interleave(dim // denominator.shape[0], 0)
    b = b * sign_from_right(b.detach())
    size = x * sign_from_right(x.detach())
    p = sum(a[:, i] * x**i for i in range(a.shape[1]))
    q = 1 + sum(b[:, j] * size ** (j + 1) for j in range(b.shape[1]))
    return p / q


def horner(x, numerator, denominator):
    """The same by Horner's rule: what a careful user would write without the operator."""
    dim = x.shape[-1]
    a = numerator.repeat_interleave(dim // numerator.shape[0], 0).unbind(1)
    b = denominator.repeat_interleave(dim // denominator.shape[0], 0).abs().unbind(1)
    size = x.abs()
    p = a[5]
    for i in range(4, -1, -1):
        p = p * x + a[i]
    q = b[3] * size
    for j in range(2, -1, -1):
        q = (q + b[j]) * size
    return p / (q + 1)


def gradients(function, inputs, upstream):
    """Value and gradients by x, numerator and denominator."""
    inputs = [t.detach().requires_grad_() for t in inputs]
    y = function(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, upstream.to(y.dtype))]


def assert_as_accurate(draws):
    """The largest error against float64 is at most twice the plain path's, plus one ulp of the largest value.

    Errors are counted in ulps of the largest value, in the type of the result, and averaged over the draws: a sum of
    few terms is exact or not by luck. No tolerance is chosen by hand.

    draws: one (results, plain, exact) each, every one of them [y, dx, dnumerator, ddenominator].
    """
    for index, name in enumerate(("y", "dx", "dnumerator", "ddenominator")):
        ours, plain = [], []
        for results, plain_results, exact in draws:
            truth = exact[index]
            ulp = torch.finfo(results[index].dtype).eps * truth.abs().max().item()
            ours.append((results[index].double() - truth).abs().max().item() / ulp)
            plain.append((plain_results[index].double() - truth).abs().max().item() / ulp)
        error, allowed = sum(ours) / len(ours), 2 * sum(plain) / len(plain) + 1
        assert error <= allowed, f"{name}: error {error:.3g} ulp, allowed {allowed:.3g} ulp"
