"""Hessian products and directional derivatives of a small network, by PyTorch in float64.

A tanh network 2-3-1 with mean squared error, and attention with layer norm and gelu. Run from the root of the clone:

    .venv/bin/python test/golden/autodiff/make.py > test/golden/autodiff/derivatives.json
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)


def flat(tensors):
    return [tensor.flatten().tolist() for tensor in tensors]


def case(name, loss, output, shapes):
    # Numbers that float32 holds: so they reach the engine unchanged.
    variables = [torch.randn(shape).float().double() for shape in shapes]
    vectors = [torch.randn(shape).float().double() for shape in shapes]
    value, products = torch.autograd.functional.hvp(loss, tuple(variables), tuple(vectors))
    _, grads = torch.autograd.functional.vjp(loss, tuple(variables))
    y, tangent = torch.autograd.functional.jvp(output, tuple(variables), tuple(vectors))
    return {
        "name": name,
        "shapes": shapes,
        "variables": flat(variables),
        "vectors": flat(vectors),
        "value": value.item(),
        "grads": flat(grads),
        "products": flat(products),
        "output": y.flatten().tolist(),
        "tangent": tangent.flatten().tolist(),
    }


X = torch.tensor([[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0], [0.125, 0.375]])
Y = torch.tensor([[0.25], [-0.5], [0.875], [0.0]])


def net(w1, b1, w2, b2):
    return torch.tanh(X @ w1 + b1) @ w2 + b2


def attention(q, k, v, scale, offset):
    mixed = torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v
    return F.gelu(F.layer_norm(mixed, (4,), scale, offset, 1e-6))


cases = [
    case("tanh network", lambda *p: ((net(*p) - Y) ** 2).mean(), net, [[2, 3], [3], [3, 1], [1]]),
    case(
        "attention, layer norm, gelu",
        lambda *p: (attention(*p) ** 2).mean(),
        attention,
        [[1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 4], [4], [4]],
    ),
]
print(json.dumps({"torch": torch.__version__, "X": X.tolist(), "Y": Y.tolist(), "cases": cases}, indent=1))
