"""The peer of loader.ts: PyTorch's DataLoader. Prints one JSON line of images a second, or null where a package is missing.

    loader.py tensors <size> <channels> <batch>       uint8 images in memory, gathered, to the device, normalised there
    loader.py decode <folder> <batch> <workers>       pictures of a folder by PIL: resized, cut
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch

try:
    from PIL import Image
except ImportError:
    Image = None

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
mean = torch.tensor([0.4914, 0.4822, 0.4465], device=device)
std = torch.tensor([0.247, 0.2435, 0.2616], device=device)
MINIMUM_SECONDS = 1.0


def done():
    if device.type == "cuda":
        torch.cuda.synchronize()


def tensors(size, channels, batch):
    """The fastest way of PyTorch's own: one gather for the batch, one copy of bytes, arithmetic on the device."""
    count = 256 if size > 100 else 8192
    images = torch.randint(0, 256, (count, size, size, channels), dtype=torch.uint8)
    center, spread = 255 * mean[:channels], 255 * std[:channels]
    pinned = torch.empty((batch, size, size, channels), dtype=torch.uint8, pin_memory=device.type == "cuda")

    def step():
        torch.index_select(images, 0, torch.randint(0, count, (batch,)), out=pinned)
        own = pinned.to(device, non_blocking=True)
        result = (own.float() - center) / spread
        done()
        return result

    step()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < MINIMUM_SECONDS:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return batch / statistics.median(times)


class Pictures(torch.utils.data.Dataset):
    """As torchvision's ImageFolder with Resize(224) and CenterCrop(224), but bytes travel: it makes floats in the workers."""

    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("*/*.jpg"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        picture = Image.open(self.paths[index]).convert("RGB")
        scale = 224 / min(picture.size)
        width, height = (round(side * scale) for side in picture.size)
        left, top = (width - 224) // 2, (height - 224) // 2
        picture = picture.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + 224, top + 224))
        return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(224, 224, 3)


def decode(folder, batch, workers):
    if Image is None:
        return None
    loader = torch.utils.data.DataLoader(Pictures(folder), batch, num_workers=workers, persistent_workers=True)
    for images in loader:  # workers are started, files are in the page cache
        pass
    start, seen = time.perf_counter(), 0
    for images in loader:
        seen += len(images.to(device))
    done()
    return seen / (time.perf_counter() - start)


torch.set_num_threads(int(sys.argv[1]))
way, *rest = sys.argv[2:]
print(json.dumps(tensors(*map(int, rest)) if way == "tensors" else decode(rest[0], *map(int, rest[1:]))))
