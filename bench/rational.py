"""katlab::rational on the CPU beside torch's gelu, in the same process: milliseconds and ratios.

    .venv/bin/python bench/rational.py [--threads 2] [--json bench/results/rational.json]

Rounds alternate between the functions, so that what else runs on the machine hits all of them; a ratio is the median
of the rounds' ratios. `composed` is the same function in PyTorch's own operators (Horner), gradients by autograd.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "python" / "ops"))
from rational_reference import horner  # noqa: E402

torch.ops.load_library(os.environ.get("KATLAB_OPS", str(ROOT / "native" / "build" / "libkatlab_ops.so")))
rational = torch.ops.katlab.rational
rational_backward = torch.ops.katlab.rational_backward

SHAPES = [(1040, 768), (1040, 3072), (1040, 96)]
ROUNDS, CALLS = 60, 5
COMPOSED_ROUNDS = 5  # it is slow enough


def functions(shape, dtype):
    """What is timed: forward and backward of each contender, as functions without arguments."""
    x, grad = torch.randn(shape).to(dtype), torch.randn(shape).to(dtype)
    numerator, denominator = torch.randn(1, 6), torch.randn(8, 4)
    inputs = [t.clone().requires_grad_() for t in (x, numerator, denominator)]

    def composed_backward():
        return torch.autograd.grad(graph, inputs, grad.float(), retain_graph=True)

    graph = horner(inputs[0].float(), *inputs[1:])
    return {
        "forward": {
            "gelu": lambda: torch.nn.functional.gelu(x),
            "rational": lambda: rational(x, numerator, denominator),
            "composed": lambda: horner(x, numerator, denominator),
            "copy": lambda: x.clone(),
        },
        "backward": {
            "gelu": lambda: torch.ops.aten.gelu_backward(grad, x),
            "rational": lambda: rational_backward(grad, x, numerator, denominator),
            "composed": composed_backward,
        },
    }


def milliseconds(function):
    start = time.perf_counter()
    for _ in range(CALLS):
        function()
    return (time.perf_counter() - start) / CALLS * 1e3


def measure(contenders):
    """Median milliseconds of each, and median ratio to gelu."""
    rounds = []
    for index in range(ROUNDS + 1):  # the first one warms up
        taken = {n: f for n, f in contenders.items() if n != "composed" or index <= COMPOSED_ROUNDS}
        rounds.append({name: milliseconds(function) for name, function in taken.items()})
    figures = {}
    for name in contenders:
        own = [r for r in rounds[1:] if name in r]
        figures[name] = {
            "ms": median(r[name] for r in own),
            "leastMs": min(r[name] for r in own),
            "perGelu": median(r[name] / r["gelu"] for r in own),
        }
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    results = []
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {options.threads} threads")
    print(f"{'':32}{'ms':>8} {'least':>8} {'/ gelu':>7}")
    for dtype in (torch.float32, torch.bfloat16):
        for shape in SHAPES:
            for direction, contenders in functions(shape, dtype).items():
                label = f"{list(shape)} {str(dtype)[6:]} {direction}"
                print(label)
                for name, figures in measure(contenders).items():
                    results.append(
                        {
                            "shape": shape,
                            "dtype": str(dtype)[6:],
                            "direction": direction,
                            "of": name,
                            **figures,
                        }
                    )
                    print(
                        f"  {name:30}{figures['ms']:8.3f} {figures['leastMs']:8.3f} {figures['perGelu']:7.2f}"
                    )
    if options.json:
        machine = {"torch": torch.__version__, "cpu": platform.processor(), "threads": options.threads}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
