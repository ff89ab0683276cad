"""katlab::rational written a second time, as plain PyTorch, and the rule by which results are judged."""

from statistics import mean, median

import torch


def sign_from_right(t):
    """The sign in every derivative of |t|: +1 at zero."""
    return torch.where(t < 0, -1.0, 1.0).to(t.dtype)


def per_channel(table, x, axis):
    """Columns of a table, for each channel its number, as tensors that broadcast along the axis of the channels."""
    dim, groups = x.shape[axis], table.shape[0]
    rows = table[torch.arange(dim, device=x.device) * groups // dim]
    trailing = x.dim() - 1 - axis % x.dim()
    return [column.reshape(dim, *[1] * trailing) for column in rows.unbind(1)]


def denominator_parts(x, denominator, form, axis):
    """The terms of the sum in the denominator, and the constant before it; without the bars around the sum."""
    if form == "A":
        denominator = denominator * sign_from_right(denominator.detach())
        x = x * sign_from_right(x.detach())
    first = 0 if form == "C" else 1
    terms = [b * x ** (j + first) for j, b in enumerate(per_channel(denominator, x, axis))]
    return terms, 0.1 if form == "C" else 1.0


def rational(x, numerator, denominator, form="A", axis=-1, uneven=False):
    """P(x) / Q(x) by powers, differentiable by autograd with sign(0) = +1."""
    p = sum(a * x**i for i, a in enumerate(per_channel(numerator, x, axis)))
    terms, constant = denominator_parts(x, denominator, form, axis)
    total = sum(terms)
    if form in ("B", "C"):
        total = total * sign_from_right(total.detach())
    return (p / (constant + total)).expand(x.shape)


def horner(x, numerator, denominator, form="A", axis=-1, uneven=False):
    """The same by Horner's rule: what a careful user would write without the operator."""
    a = per_channel(numerator, x, axis)
    b = per_channel(denominator.abs() if form == "A" else denominator, x, axis)
    t = x.abs() if form == "A" else x
    p = a[-1]
    for i in range(len(a) - 2, -1, -1):
        p = p * x + a[i]
    total = b[-1]
    for j in range(len(b) - 2, -1, -1):
        total = total * t + b[j]
    if form != "C":
        total = total * t
    if form in ("B", "C"):
        total = total.abs()
    return (p / (total + (0.1 if form == "C" else 1.0))).expand(x.shape)


def gradients(function, inputs, upstream):
    """Value and gradients by x, numerator and denominator."""
    inputs = [t.detach().requires_grad_() for t in inputs]
    y = function(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, upstream.to(y.dtype))]


def assert_as_accurate(draws):
    """The largest error against float64 is at most twice the plain path's, plus one ulp of the largest value.

    Errors are counted in ulps of the largest value, in the type of the result, and averaged over the draws: a sum of
    few terms is exact or not by luck. Where a sum nearly cancels, errors are many ulps of what little is left and would be
    all of the average: draws in which the plain path's error is ten times its median are left out.

    draws: one (results, plain, exact) each, every one of them [y, dx, dnumerator, ddenominator].
    """
    for index, name in enumerate(("y", "dx", "dnumerator", "ddenominator")):
        errors = []
        for results, plain_results, exact in draws:
            truth = exact[index]
            ulp = torch.finfo(results[index].dtype).eps * truth.abs().max().item()
            errors.append([(own[index].double() - truth).abs().max().item() / ulp for own in (results, plain_results)])
        usual = median(plain for _, plain in errors)
        kept = [pair for pair in errors if pair[1] <= 10 * max(usual, 1)]
        error, plain = (mean(values) for values in zip(*kept, strict=True))
        allowed = 2 * plain + 1
        assert error <= allowed, f"{name}: error {error:.3g} ulp, allowed {allowed:.3g} ulp"
