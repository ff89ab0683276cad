"""The peers of augment.ts: torchvision.transforms.v2 on tensors, image by image, and timm's chain on Pillow in one worker.

Usage: augment.py DEVICE SIZE BATCH THREADS SECONDS   prints one JSON line: images a second by case and peer. Needs torchvision;
without timm and Pillow their part is left out.
"""

import json
import sys
import time

import torch
from torchvision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
BILINEAR, BICUBIC = v2.InterpolationMode.BILINEAR, v2.InterpolationMode.BICUBIC


def rate(work, count, seconds, device):
    """Images a second of `work`, which makes `count` of them."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    work()
    wait()
    start, made = time.perf_counter(), 0
    while made == 0 or time.perf_counter() - start < seconds:
        work()
        wait()
        made += count
    return made / (time.perf_counter() - start)


def torchvision_rates(device, size, batch, seconds):
    levels = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, device=device)
    normalised = v2.functional.normalize(levels.float() / 255, MEAN, STD)
    labels = torch.randint(0, 1000, (batch,), device=device)

    def crop(interpolation):
        return v2.RandomResizedCrop(size, (0.08, 1), interpolation=interpolation, antialias=True)

    flip, normalise = v2.RandomHorizontalFlip(), v2.Compose([v2.ToDtype(torch.float32, True), v2.Normalize(MEAN, STD)])
    # v2 has no timm's RandAugment; its own has 14 operations, nearest neighbours, and no draws of magnitudes.
    randaugment = v2.RandAugment(2, 9, 11)
    mix = v2.RandomChoice([v2.MixUp(alpha=0.8, num_classes=1000), v2.CutMix(alpha=1.0, num_classes=1000)])
    erase = v2.RandomErasing(0.25)
    each = {
        "flip": (normalised, flip),
        "padded crop": (normalised, v2.Compose([flip, v2.RandomCrop(size, 4)])),
        "resized crop": (normalised, v2.Compose([crop(BILINEAR), flip])),
        "resized crop, bicubic": (normalised, v2.Compose([crop(BICUBIC), flip])),
        "colour jitter": (levels, v2.Compose([v2.ColorJitter(0.4, 0.4, 0.4), normalise])),
        "colour jitter, hue": (levels, v2.Compose([v2.ColorJitter(0.4, 0.4, 0.4, 0.1), normalise])),
        "RandAugment": (levels, v2.Compose([randaugment, normalise])),
        "erasing": (normalised, erase),
        "KAT's recipe": (levels, v2.Compose([crop(BILINEAR), flip, randaugment, normalise, erase])),
    }

    def batched(images, transform):
        return torch.stack([transform(image) for image in images])

    rates = {}
    for name, (images, transform) in each.items():
        work = lambda: batched(images, transform)
        if name == "KAT's recipe":
            work = lambda: mix(batched(images, transform), labels)
        rates[f"{name}, torchvision"] = rate(work, batch, seconds, device)
    rates["mixup, cutmix, torchvision"] = rate(lambda: mix(normalised, labels), batch, seconds, device)
    return rates


def timm_rates(size, batch, seconds):
    try:
        from PIL import Image
        from timm.data import Mixup, create_transform
    except ImportError:
        return {}
    pictures = [Image.fromarray(torch.randint(0, 256, (size, size, 3), dtype=torch.uint8).numpy()) for _ in range(batch)]
    labels = torch.randint(0, 1000, (batch,))
    chain = create_transform(
        size,
        is_training=True,
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="random",
        re_prob=0.25,
        re_mode="pixel",
        mean=MEAN,
        std=STD,
    )
    for transform in chain.transforms:
        if type(transform).__name__ == "RandomErasing":
            transform.device = "cpu"
    mixup = Mixup(0.8, 1.0, prob=1.0, switch_prob=0.5, label_smoothing=0.0, num_classes=1000)

    def recipe():
        return mixup(torch.stack([chain(picture) for picture in pictures]), labels)

    return {"KAT's recipe, timm on Pillow": rate(recipe, batch, seconds, "cpu")}


def main():
    device, size, batch, threads, seconds = sys.argv[1], *map(float, sys.argv[2:])
    size, batch = int(size), int(batch)
    torch.set_num_threads(int(threads))
    rates = torchvision_rates(device, size, batch, seconds)
    print(json.dumps(rates | timm_rates(size, batch, seconds)))


main()
