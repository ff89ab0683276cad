"""What PyTorch computes for models that katlab will compute too.

    python parity.py make <folder>    for every specification in <folder>/specs.json: weights, images, logits, gradients
    python parity.py check <folder>   logits of the weights that katlab wrote there

Of each model `<name>.safetensors` (weights), `<name>.images.safetensors`, `<name>.float32.safetensors` and
`<name>.float64.safetensors` (logits, loss, gradients) and `<name>.variances.json` (mean squares before and after every linear layer).
"""

import json
import sys
from pathlib import Path

import torch
from transformer import draw, forward, gradients, read, shapes, write

torch.set_num_threads(1)


class Timm:
    """One of timm's own models, over a dictionary of weights."""

    def __init__(self, name, classes):
        import timm

        self.model = timm.create_model(name, num_classes=classes).eval()
        self.shapes = [(key, tuple(value.shape)) for key, value in self.model.state_dict().items()]
        self.version = timm.__version__

    def __call__(self, weights, images, spec, variances=None):
        return torch.func.functional_call(self.model, weights, images.permute(0, 3, 1, 2))


def make(folder, name, spec):
    timm = Timm(spec["timm"], spec["classes"]) if "timm" in spec else None
    generator = torch.Generator().manual_seed(spec["seed"])
    weights = {key: draw(key, shape, generator) for key, shape in (timm.shapes if timm else shapes(spec))}
    size = spec["imageSize"]
    images = torch.randn(spec["batch"], size, size, spec["channels"], generator=generator)
    labels = torch.randint(spec["classes"], (spec["batch"],), generator=generator)
    write(folder / f"{name}.safetensors", weights)
    torch.save({"state_dict": weights, "epoch": 1}, folder / f"{name}.pth")
    write(folder / f"{name}.images.safetensors", {"images": images, "labels": labels.int()})
    for dtype in ("float32", "float64"):
        write(folder / f"{name}.{dtype}.safetensors", gradients(timm or forward, weights, images, labels, spec, getattr(torch, dtype)))
    if timm:
        print(f"{name}: timm {timm.version}")
        return
    variances = {}
    with torch.no_grad():
        wide = {key: value.double() for key, value in weights.items()}
        forward(wide, images.double(), spec, variances)
    (folder / f"{name}.variances.json").write_text(json.dumps(variances))


def check(folder, name, spec):
    weights = read(folder / f"{name}.katlab.safetensors")
    assert {key: tuple(value.shape) for key, value in weights.items()} == dict(shapes(spec))
    images = read(folder / f"{name}.katlabImages.safetensors")["images"]
    with torch.no_grad():
        write(folder / f"{name}.checked.safetensors", {"logits": forward(weights, images, spec)})


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    for name, spec in json.loads((folder / "specs.json").read_text()).items():
        {"make": make, "check": check}[command](folder, name, spec)
