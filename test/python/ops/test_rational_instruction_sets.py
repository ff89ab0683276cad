"""The accuracy tests again, in processes of their own, with the loops for less capable processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
ORDER = ["DEFAULT", "AVX2", "AVX512"]


def lower_sets():
    own = torch.backends.cpu.get_cpu_capability()
    return [name for name in ORDER if name in ORDER[: ORDER.index(own)]] if own in ORDER else []


@pytest.mark.parametrize("name", lower_sets())
def test_accuracy(name):
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-k",
            "accuracy",
            HERE / "test_rational.py",
            HERE / "test_rational_forms.py",
        ],
        env={**os.environ, "ATEN_CPU_CAPABILITY": name.lower()},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout
