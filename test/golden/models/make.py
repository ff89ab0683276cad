"""Logits of the test-size ViT and KAT by PyTorch's own layers: conv2d, MultiheadAttention, layer_norm, gelu.

"mean" is the ViT with scales of its branches, without a class token, and with the mean of all patches before the head.
"wide" is the KAT on images and patches that are no squares.

Weights and image follow formulas that test/models/visionTransformer.test.ts repeats, so none are stored.
Run: python test/golden/models/make.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

DIM, DEPTH, HEADS, HIDDEN, CLASSES, GROUPS = 96, 4, 3, 384, 10, 8


def sizes(family):
    """Height and width of an image and of a patch."""
    return ((14, 32), (7, 4)) if family == "wide" else ((28, 28), (7, 7))


def shapes(family):
    """Names and shapes as timm's state dict has them."""
    image, patch = sizes(family)
    patches = image[0] // patch[0] * (image[1] // patch[1])
    yield "patch_embed.proj.weight", (DIM, 1, *patch)
    yield "patch_embed.proj.bias", (DIM,)
    if family == "mean":
        yield "pos_embed", (1, patches, DIM)
    else:
        yield "cls_token", (1, 1, DIM)
        yield "pos_embed", (1, patches + 1, DIM)
    for i in range(DEPTH):
        block = f"blocks.{i}."
        for norm in ("norm1", "norm2"):
            yield block + norm + ".weight", (DIM,)
            yield block + norm + ".bias", (DIM,)
        linears = [("attn.qkv", 3 * DIM, DIM), ("attn.proj", DIM, DIM), ("mlp.fc1", HIDDEN, DIM), ("mlp.fc2", DIM, HIDDEN)]
        for name, outputs, inputs in linears:
            yield block + name + ".weight", (outputs, inputs)
            yield block + name + ".bias", (outputs,)
        if family == "mean":
            yield block + "ls1.gamma", (DIM,)
            yield block + "ls2.gamma", (DIM,)
        if family in ("kat", "wide"):
            for act in ("act1", "act2"):
                yield block + f"mlp.{act}.weight_numerator", (1, 6)
                yield block + f"mlp.{act}.weight_denominator", (GROUPS, 4)
    yield "norm.weight", (DIM,)
    yield "norm.bias", (DIM,)
    yield "head.weight", (CLASSES, DIM)
    yield "head.bias", (CLASSES,)


def formula(name, shape):
    size = torch.Size(shape).numel()
    values = 0.1 * torch.sin(0.37 * torch.arange(size, dtype=torch.float64) + len(name))
    if name.endswith(("norm1.weight", "norm2.weight")) or name == "norm.weight":
        values += 1
    if name.endswith("weight_numerator"):
        values[1] += 1
    return values.reshape(shape)


def rational(x, numerator, denominator):
    a = numerator[0]
    b = denominator.abs().repeat_interleave(x.shape[-1] // GROUPS, dim=0)
    p = sum(a[i] * x**i for i in range(6))
    q = 1 + sum(b[:, j] * x.abs() ** (j + 1) for j in range(4))
    return p / q


def forward(family, w):
    image, patch = sizes(family)
    count = 2 * image[0] * image[1]
    pixels = torch.sin(0.01 * torch.arange(count, dtype=torch.float64) ** 2).reshape(2, 1, *image)
    x = F.conv2d(pixels, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2)
    if family != "mean":
        x = torch.cat([w["cls_token"].expand(2, 1, DIM), x], dim=1)
    x = x + w["pos_embed"]

    def norm(x, name):
        return F.layer_norm(x, (DIM,), w[name + ".weight"], w[name + ".bias"], eps=1e-6)

    for i in range(DEPTH):
        block = f"blocks.{i}."
        attention = torch.nn.MultiheadAttention(DIM, HEADS, batch_first=True, dtype=torch.float64)
        attention.load_state_dict(
            {
                "in_proj_weight": w[block + "attn.qkv.weight"],
                "in_proj_bias": w[block + "attn.qkv.bias"],
                "out_proj.weight": w[block + "attn.proj.weight"],
                "out_proj.bias": w[block + "attn.proj.bias"],
            }
        )
        h = norm(x, block + "norm1")
        x = x + attention(h, h, h, need_weights=False)[0] * w.get(block + "ls1.gamma", 1)
        h = norm(x, block + "norm2")

        def linear(h, name):
            return F.linear(h, w[block + name + ".weight"], w[block + name + ".bias"])

        def act(h, name):
            path = block + "mlp." + name
            return rational(h, w[path + ".weight_numerator"], w[path + ".weight_denominator"])

        if family in ("kat", "wide"):
            h = linear(act(h, "act1"), "mlp.fc1")
            h = linear(act(h, "act2"), "mlp.fc2")
        else:
            h = linear(F.gelu(linear(h, "mlp.fc1")), "mlp.fc2")
        x = x + h * w.get(block + "ls2.gamma", 1)
    x = norm(x, "norm")
    return F.linear(x.mean(1) if family == "mean" else x[:, 0], w["head.weight"], w["head.bias"])


with torch.no_grad():
    logits = {}
    for family in ("vit", "kat", "mean", "wide"):
        weights = {name: formula(name, shape) for name, shape in shapes(family)}
        logits[family] = forward(family, weights).tolist()
record = {"maker": "test/golden/models/make.py", "torch": torch.__version__.split("+")[0], "float": "float64", "logits": logits}
pathlib.Path(__file__).with_name("logits.json").write_text(json.dumps(record, indent=1) + "\n")
