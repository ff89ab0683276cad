"""katlab::rational on the CPU beside torch's gelu, in the same process: milliseconds and ratios.

    .venv/bin/python bench/rational.py [--threads 2] [--json bench/results/rational.json]

Rounds alternate between the functions. A ratio is one of least times, since what else runs on the machine only adds
to them; medians stand beside.
"""

import argparse
import json
import os
import platform
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch

ROOT = Path(__file__).resolve().parents[1]
torch.ops.load_library(os.environ.get("KATLAB_OPS", str(ROOT / "native" / "build" / "libkatlab_ops.so")))
rational = torch.ops.katlab.rational
rational_backward = torch.ops.katlab.rational_backward

SHAPES = [(1040, 768), (1040, 3072), (1040, 96)]
ROUNDS, CALLS = 60, 5
# What is timed beside form A of degrees 5/4, that of KAT, which has loops of its own: form and numbers of terms.
OTHERS = {"A 5/3": ("A", 6, 3), "B 5/4": ("B", 6, 4), "C 5/4": ("C", 6, 5), "N 5/4": ("N", 6, 4), "A 8/8": ("A", 9, 8)}


def functions(shape, dtype):
    """What is timed: forward and backward of each contender, as functions without arguments."""
    x, grad = torch.randn(shape).to(dtype), torch.randn(shape).to(dtype)
    numerator, denominator = torch.randn(1, 6), torch.randn(8, 4)
    others = {
        f"rational {name}": (torch.randn(1, upper), torch.randn(8, lower), form)
        for name, (form, upper, lower) in OTHERS.items()
    }
    return {
        "forward": {
            "gelu": lambda: torch.nn.functional.gelu(x),
            "rational": lambda: rational(x, numerator, denominator),
            "copy": lambda: x.clone(),
            **{name: partial(rational, x, *tables) for name, tables in others.items()},
        },
        "backward": {
            "gelu": lambda: torch.ops.aten.gelu_backward(grad, x),
            "rational": lambda: rational_backward(grad, x, numerator, denominator),
            **{name: partial(rational_backward, grad, x, *tables) for name, tables in others.items()},
        },
    }


def milliseconds(function):
    start = time.perf_counter()
    for _ in range(CALLS):
        function()
    return (time.perf_counter() - start) / CALLS * 1e3


def measure(contenders):
    """Median and least milliseconds of each, and the ratio of its least to gelu's."""
    for function in contenders.values():
        function()
    rounds = [{name: milliseconds(f) for name, f in contenders.items()} for _ in range(ROUNDS)]
    times = {name: [r[name] for r in rounds] for name in contenders}
    return {
        name: {"ms": median(own), "leastMs": min(own), "perGelu": min(own) / min(times["gelu"])}
        for name, own in times.items()
    }


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
