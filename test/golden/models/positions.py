"""Position embeddings resized by PyTorch's interpolate(mode="bicubic", antialias=True), as timm calls it.

Positions follow a formula that test/models/resizePositions.test.ts repeats, so they are not stored.
Run: python test/golden/models/positions.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

DIM = 2


def resized(start, end, prefix):
    """start and end: patches down and across."""
    count = prefix + start[0] * start[1]
    positions = torch.sin(0.37 * torch.arange(count * DIM, dtype=torch.float64) ** 1.5).float().double().reshape(1, count, DIM)
    grid = positions[:, prefix:].reshape(1, *start, DIM).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=end, mode="bicubic", antialias=True)
    patches = grid.permute(0, 2, 3, 1).reshape(1, end[0] * end[1], DIM)
    return torch.cat([positions[:, :prefix], patches], dim=1).flatten().tolist()


squares = [(4, 4, 1), (4, 7, 1), (7, 4, 1), (5, 2, 0), (2, 5, 0), (1, 3, 1), (3, 1, 0), (8, 3, 2)]
cases = [((a, a), (b, b), prefix) for a, b, prefix in squares] + [
    ((4, 4), (2, 7), 1),
    ((3, 8), (5, 5), 1),
    ((6, 2), (2, 6), 0),
    ((2, 9), (7, 3), 2),
]
record = {
    "maker": "test/golden/models/positions.py",
    "torch": torch.__version__.split("+")[0],
    "cases": [{"from": a, "to": b, "prefix": p, "positions": resized(a, b, p)} for a, b, p in cases],
}
pathlib.Path(__file__).with_name("positions.json").write_text(json.dumps(record) + "\n")
