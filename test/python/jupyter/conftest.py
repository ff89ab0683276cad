"""The built kernel, found through JUPYTER_PATH as `npm start` sets it."""

import os
from pathlib import Path

ROOT = Path(os.environ.get("KATLAB_ROOT", Path(__file__).parents[3]))

# Set on import: jupyter_client reads the variable when it looks for a kernelspec, and kernels inherit it.
os.environ["JUPYTER_PATH"] = str(ROOT / "share" / "jupyter")
