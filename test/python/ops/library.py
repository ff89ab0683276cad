"""Where katlab's operators are: native/build/libkatlab_ops.so, or the file that KATLAB_OPS names."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = Path(os.environ.get("KATLAB_OPS", ROOT / "native" / "build" / "libkatlab_ops.so"))
