"""Loads katlab's operators into PyTorch, as any Python user would."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(os.environ.get("KATLAB_OPS", ROOT / "native" / "build" / "libkatlab_ops.so"))


def pytest_configure(config):
    config.addinivalue_line("markers", "accuracy: compares values with float64; repeated for every instruction set")
    if not LIBRARY.exists():
        pytest.exit(f"{LIBRARY} must exist: run `npm run build` first, or set KATLAB_OPS.", returncode=3)
    torch.ops.load_library(str(LIBRARY))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def threads():
    """Sets the number of threads; restores it afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
