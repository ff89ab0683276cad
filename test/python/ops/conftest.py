"""Loads katlab's operators into PyTorch, as any Python user would."""

import pytest
import torch
from library import LIBRARY

if not LIBRARY.exists():
    raise FileNotFoundError(f"{LIBRARY} must exist: run `npm run build` first, or set KATLAB_OPS.")
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
