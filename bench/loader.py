"""The peer of loader.ts: PyTorch's DataLoader. Prints one JSON line of images a second, or null where a package is missing.

    loader.py tensors <size> <channels> <batch>       uint8 images in memory, gathered, to the device, normalised there
    loader.py decode <folder> <batch> <workers>       pictures of a folder by torchvision and PIL: resized, cut, normalised
"""

import json
import sys
import time

import torch

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
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < MINIMUM_SECONDS:
        step()
        steps += 1
    return steps * batch / (time.perf_counter() - start)


def decode(folder, batch, workers):
    try:
        from torchvision import datasets, transforms
    except ImportError:
        return None
    center, spread = [float(x) for x in mean], [float(x) for x in std]
    ways = [transforms.Resize(224), transforms.CenterCrop(224), transforms.ToTensor()]
    data = datasets.ImageFolder(folder, transforms.Compose([*ways, transforms.Normalize(center, spread)]))
    loader = torch.utils.data.DataLoader(data, batch, num_workers=workers, persistent_workers=workers > 0)
    for images, _ in loader:  # workers are started, files are in the page cache
        pass
    start, seen = time.perf_counter(), 0
    for images, _ in loader:
        seen += len(images.to(device))
    done()
    return seen / (time.perf_counter() - start)


torch.set_num_threads(int(sys.argv[1]))
way, *rest = sys.argv[2:]
print(json.dumps(tensors(*map(int, rest)) if way == "tensors" else decode(rest[0], *map(int, rest[1:]))))
