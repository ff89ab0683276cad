"""Writes augment.json: what torchvision and timm (on Pillow) make of fixed images with fixed parameters.

Needs torch 2.13 with torchvision 0.28, Pillow and timm, on the CPU.
"""

import json
import math
import pathlib

import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from timm.data import auto_augment as timm_ops
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional as F

HEIGHT, WIDTH, FILL = 8, 9, (124, 116, 104)


def picture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """[height, width, 3] bytes: waves and noise, so that no level and no edge is rare."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(0.9 * x + 0.5 * k * y + seed) for k in range(3)]
    noise = generator.normal(0, 25, (height, width, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


# The third is large enough for Equalize to do something.
bytes_ = [picture(0), picture(1), picture(2, 24, 32)]
bytes_[1][..., 1] = bytes_[1][..., 1] // 3 + 20  # a channel of few levels
bytes_[1][2:5, 3:6] = 128  # grey pixels, which have no hue
images = [torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1) for image in bytes_[:2]]


def values(image: torch.Tensor) -> list[float]:
    return [round(value, 7) for value in image.permute(1, 2, 0).flatten().tolist()]


def crops() -> list[dict]:
    boxes = [(0, 0, HEIGHT, WIDTH), (2, 3, 5, 4), (0, 0, 1, 1), (4, 1, 4, 8), (1, 7, 6, 2)]
    return [
        {"image": i % 2, "box": box, "cubic": cubic, "flipped": flipped, "values": values(cropped)}
        for i, box in enumerate(boxes)
        for cubic in (False, True)
        for flipped in (False, True)
        for cropped in [
            (F.hflip if flipped else lambda x: x)(
                F.resized_crop(
                    images[i % 2],
                    *box,
                    [HEIGHT, WIDTH],
                    InterpolationMode.BICUBIC if cubic else InterpolationMode.BILINEAR,
                    antialias=True,
                ).clamp(0, 1)
            )
        ]
    ]


def colors() -> list[dict]:
    adjust = {
        "brightness": F.adjust_brightness,
        "contrast": F.adjust_contrast,
        "saturation": F.adjust_saturation,
        "hue": F.adjust_hue,
    }
    orders = [[(name, amount)] for name in adjust if name != "hue" for amount in (0.0, 0.6, 1.4)]
    orders += [[("hue", amount)] for amount in (-0.5, -0.13, 0.0, 0.31, 0.5)]
    orders += [
        [("hue", 0.2), ("contrast", 1.3), ("saturation", 0.7), ("brightness", 1.2)],
        [("saturation", 1.4), ("brightness", 0.8), ("hue", -0.1), ("contrast", 0.6)],
    ]
    made = []
    for index, image in enumerate(images):
        for order in orders:
            changed = image
            for name, amount in order:
                changed = adjust[name](changed, amount)
            changes = [{"change": name, "amount": amount} for name, amount in order]
            made.append({"image": index, "changes": changes, "values": values(changed)})
    return made


def operations() -> list[dict]:
    """timm's operations; magnitudes become arguments by timm's own rules, with either sign."""
    names = timm_ops._RAND_INCREASING_TRANSFORMS
    made = []
    for place, name in enumerate(names):
        for magnitude in (1.0, 5.6, 9.7) if timm_ops.LEVEL_TO_ARG[name] else (9.0,):
            for sign in (1, -1):
                timm_ops.random.random = lambda sign=sign: 0.25 if sign == 1 else 0.75
                arguments = timm_ops.LEVEL_TO_ARG[name](magnitude, {}) if timm_ops.LEVEL_TO_ARG[name] else ()
                for cubic in (False, True):
                    resample = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
                    moves = name in ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")
                    signed = moves or name.removesuffix("Increasing") in ("Color", "Contrast", "Brightness", "Sharpness")
                    if (cubic and not moves) or (sign == -1 and not signed):
                        continue
                    index = 2 if name == "Equalize" else place % 2
                    image = Image.fromarray(bytes_[index])
                    changed = timm_ops.NAME_TO_OP[name](image, *arguments, fillcolor=FILL, resample=resample)
                    made.append(
                        {
                            "name": name.removesuffix("Increasing"),
                            "place": place,
                            "image": index,
                            "magnitude": magnitude,
                            "sign": sign,
                            "cubic": cubic,
                            "values": np.asarray(changed).flatten().tolist(),
                        }
                    )
    return made


def boxes() -> list[dict]:
    """Deciles of what torchvision's RandomResizedCrop draws: share of the area, and logarithm of width to height."""
    torch.manual_seed(1)
    made = []
    for size, scale, ratio in [((224, 224), (0.08, 1), (3 / 4, 4 / 3)), ((60, 100), (0.5, 1), (0.5, 2))]:
        drawn = [RandomResizedCrop.get_params(torch.zeros(3, *size), scale, ratio) for _ in range(20_000)]
        area = [h * w / (size[0] * size[1]) for _, _, h, w in drawn]
        aspect = [math.log(w / h) for _, _, h, w in drawn]
        deciles = np.linspace(0.1, 0.9, 9)
        made.append(
            {
                "size": size,
                "scale": scale,
                "ratio": ratio,
                "count": len(drawn),
                "area": np.quantile(area, deciles).tolist(),
                "aspect": np.quantile(aspect, deciles).tolist(),
            }
        )
    return made


golden = {
    "maker": f"make.py, torch {torch.__version__}, torchvision {torchvision.__version__}, "
    f"timm {timm.__version__}, Pillow {PIL.__version__}",
    "fill": FILL,
    "images": [{"shape": image.shape, "levels": image.flatten().tolist()} for image in bytes_],
    "crops": crops(),
    "colors": colors(),
    "operations": operations(),
    "boxes": boxes(),
}
text = json.dumps(golden, separators=(",", ":"))
pathlib.Path(__file__).with_name("augment.json").write_text(text + "\n")
