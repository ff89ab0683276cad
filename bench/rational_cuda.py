"""katlab::rational on a CUDA device beside a copy of the same tensor and torch's gelu: microseconds and GB/s.

    python bench/rational_cuda.py [--json bench/results/rational_cuda.json]

Needs PyTorch with CUDA and native/build/libkatlab_ops.so (or KATLAB_OPS), nothing else. Checks the results first,
then times: every function runs over a ring of tensors that together exceed the L2 cache, in one CUDA graph, so that
neither the cache nor the host is measured. Rounds alternate between the functions; figures are medians.

GB/s counts what must move: forward x and y, backward grad, x and dx, copy both tensors.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from statistics import median

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "python" / "ops"))
from rational_reference import assert_as_accurate, gradients, horner  # noqa: E402
from rational_reference import rational as reference  # noqa: E402

torch.ops.load_library(os.environ.get("KATLAB_OPS", str(ROOT / "native" / "build" / "libkatlab_ops.so")))
rational = torch.ops.katlab.rational
rational_backward = torch.ops.katlab.rational_backward

SHAPES = [(25216, 768), (25216, 3072)]
GROUPS = (1, 8)
# What is timed beside form A of degrees 5/4, that of KAT: form and numbers of terms.
OTHERS = {"B 5/4": ("B", 6, 4), "C 5/4": ("C", 6, 5), "N 5/4": ("N", 6, 4), "A 8/8": ("A", 9, 8)}
RING_BYTES = 2**30
ROUNDS = 20


def tables():
    return torch.randn(GROUPS[0], 6, device="cuda"), torch.randn(GROUPS[1], 4, device="cuda")


def check(shape, dtype):
    """Accuracy by the rule of the tests, and the same bits twice."""
    x, grad = (torch.randn(shape, device="cuda").to(dtype) for _ in range(2))
    inputs = (x, *tables())
    results = gradients(rational, inputs, grad)
    again = gradients(rational, inputs, grad)
    assert all(
        torch.equal(a, b) for a, b in zip(results, again)
    ), "results must have the same bits in every run"
    in_float32 = gradients(horner, [t.float() for t in inputs], grad.float())
    plain = [value.to(ours.dtype) for value, ours in zip(in_float32, results)]
    # In slices: the float64 reference keeps some twenty tensors.
    exact = [torch.empty(shape, dtype=torch.float64, device="cuda") for _ in range(2)]
    sums = [torch.zeros_like(t, dtype=torch.float64) for t in inputs[1:]]
    for rows in torch.arange(shape[0]).split(4096):
        part = gradients(
            reference, [x[rows].double(), *(t.double() for t in inputs[1:])], grad[rows].double()
        )
        exact[0][rows], exact[1][rows] = part[0], part[1]
        for total, term in zip(sums, part[2:]):
            total += term
    assert_as_accurate([(results, plain, [*exact, *sums])])


def contenders(shape, dtype):
    """What is timed: name -> (function of the index in the ring, bytes it must move)."""
    size = torch.Size(shape).numel() * dtype.itemsize
    count = max(2, -(-RING_BYTES // (3 * size)))
    xs, grads = ([torch.randn(shape, device="cuda").to(dtype) for _ in range(count)] for _ in range(2))
    copies = [torch.empty_like(x) for x in xs]
    numerator, denominator = tables()
    others = {}
    for name, (form, upper, lower) in OTHERS.items():
        a, b = torch.randn(GROUPS[0], upper, device="cuda"), torch.randn(GROUPS[1], lower, device="cuda")
        others[f"{name} forward"] = (lambda i, a=a, b=b, form=form: rational(xs[i], a, b, form), 2 * size)
        others[f"{name} backward"] = (
            lambda i, a=a, b=b, form=form: rational_backward(grads[i], xs[i], a, b, form),
            3 * size,
        )
    backward = torch.ops.aten.gelu_backward
    return count, {
        "copy": (lambda i: copies[i].copy_(xs[i]), 2 * size),
        "gelu forward": (lambda i: torch.nn.functional.gelu(xs[i]), 2 * size),
        "rational forward": (lambda i: rational(xs[i], numerator, denominator), 2 * size),
        "gelu backward": (lambda i: backward(grads[i], xs[i]), 3 * size),
        "rational backward": (lambda i: rational_backward(grads[i], xs[i], numerator, denominator), 3 * size),
        **others,
    }


def captured(function, count):
    """One CUDA graph that runs the function over the whole ring."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for index in range(count):  # compiles, and warms the allocator up
            function(index)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for index in range(count):
            function(index)
    graph.replay()
    return graph


def microseconds(graph, count):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    graph.replay()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e3 / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    device = torch.cuda.get_device_name()
    print(f"torch {torch.__version__}, {device}, groups {GROUPS}")
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        for shape in SHAPES:
            check(shape, dtype)
            count, functions = contenders(shape, dtype)
            graphs = {name: captured(function, count) for name, (function, _) in functions.items()}
            rounds = [
                {name: microseconds(graph, count) for name, graph in graphs.items()} for _ in range(ROUNDS)
            ]
            print(f"{list(shape)} {str(dtype)[6:]}: results checked; ring of {count}")
            for name, (_, size) in functions.items():
                us = median(r[name] for r in rounds)
                rate = size / us / 1e3
                of_copy = median((size / r[name]) / (functions["copy"][1] / r["copy"]) for r in rounds)
                print(f"  {name:20}{us:9.1f} us {rate:7.0f} GB/s {of_copy:6.1%} of the copy rate")
                figures = {"us": us, "GBps": rate, "ofCopy": of_copy}
                results.append({"shape": shape, "dtype": str(dtype)[6:], "of": name, **figures})
            del graphs, functions
            torch.cuda.empty_cache()
    if options.json:
        machine = {"torch": torch.__version__, "device": device, "groups": GROUPS}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
