"""ViT and KAT written in plain PyTorch from their formulas, over a dictionary of weights under timm's names.

Formulas: Dosovitskiy et al. 2021 for the transformer; Yang and Wang, ICLR 2025, for the rational functions: of form A,
P(x) / (1 + sum |b_j| |x|^j), and of form B, P(x) / (1 + |sum b_j x^j|), one numerator for all channels and one denominator
for each group of neighbouring channels.
"""

import json
import struct

import torch
import torch.nn.functional as F


def shapes(spec):
    """Names and shapes of a model's weights, in order."""
    dim, patch, channels = spec["dim"], spec["patchSize"], spec["channels"]
    patches = (spec["imageSize"] // patch) ** 2
    token = spec["pooling"] == "token"
    if token:
        yield "cls_token", (1, 1, dim)
    yield "pos_embed", (1, patches + token, dim)
    yield "patch_embed.proj.weight", (dim, channels, patch, patch)
    yield "patch_embed.proj.bias", (dim,)
    for i in range(spec["depth"]):
        block = f"blocks.{i}."
        for norm in ("norm1", "norm2"):
            yield block + norm + ".weight", (dim,)
            yield block + norm + ".bias", (dim,)
        for name, outputs, inputs in (
            ("attn.qkv", 3 * dim, dim),
            ("attn.proj", dim, dim),
            ("mlp.fc1", 4 * dim, dim),
            ("mlp.fc2", dim, 4 * dim),
        ):
            yield block + name + ".weight", (outputs, inputs)
            yield block + name + ".bias", (outputs,)
        if spec["layerScale"]:
            yield block + "ls1.gamma", (dim,)
            yield block + "ls2.gamma", (dim,)
        if spec["family"] == "kat":
            for act in ("mlp.act1", "mlp.act2"):
                yield block + act + ".weight_numerator", (1, 6)
                yield block + act + ".weight_denominator", (spec["groups"], 4)
    yield "norm.weight", (dim,)
    yield "norm.bias", (dim,)
    yield "head.weight", (spec["classes"], dim)
    yield "head.bias", (spec["classes"],)


def draw(name, shape, generator):
    """Weights of the size that training leaves them, drawn in float32; some denominators are exactly zero."""
    values = torch.randn(shape, generator=generator)
    if name.endswith("weight_numerator"):
        return values * 0.05 + torch.tensor([0.0, 1.0, 0.1, 0.0, 0.0, 0.0])
    if name.endswith("weight_denominator"):
        return torch.where(torch.rand(shape, generator=generator) < 0.2, 0.0, values * 0.2)
    if name.endswith(("norm1.weight", "norm2.weight", "gamma")) or name == "norm.weight":
        return 1 + 0.1 * values
    return values * (0.02 if len(shape) == 1 or name == "pos_embed" else shape[-1] ** -0.5 / 2)


def rational(x, numerator, denominator, form):
    groups, channels = denominator.shape[0], x.shape[-1]
    a = numerator[0]
    b = denominator.repeat_interleave(channels // groups, dim=0)  # [channels, 4]
    p = sum(a[i] * x**i for i in range(len(a)))
    if form == "A":
        # The slope of |b| at 0 is +1, as in KAT's released kernels; autograd's own is 0.
        b = b * torch.where(b.detach() < 0, -1.0, 1.0).to(b.dtype)
        q = 1 + sum(b[:, j] * x.abs() ** (j + 1) for j in range(b.shape[1]))
    else:
        q = 1 + sum(b[:, j] * x ** (j + 1) for j in range(b.shape[1])).abs()
    return p / q


def forward(w, images, spec, variances=None):
    """Logits [batch, classes] of images [batch, height, width, channels]."""
    dim, heads = spec["dim"], spec["heads"]

    def linear(name, x):
        y = F.linear(x, w[name + ".weight"], w[name + ".bias"])
        if variances is not None:
            variances[name] = (x.square().mean().item(), y.square().mean().item())
        return y

    def norm(name, x):
        return F.layer_norm(x, (dim,), w[name + ".weight"], w[name + ".bias"], eps=1e-6)

    x = F.conv2d(images.permute(0, 3, 1, 2), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], spec["patchSize"])
    x = x.flatten(2).transpose(1, 2)
    if spec["pooling"] == "token":
        x = torch.cat([w["cls_token"].expand(len(x), -1, -1), x], 1)
    x = x + w["pos_embed"]
    for i in range(spec["depth"]):
        block = f"blocks.{i}."
        scale = (lambda name, y, block=block: y * w[block + name]) if spec["layerScale"] else (lambda _name, y: y)
        batch, tokens, _ = x.shape
        qkv = linear(block + "attn.qkv", norm(block + "norm1", x)).reshape(batch, tokens, 3, heads, dim // heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1) * (dim // heads) ** -0.5).softmax(-1)
        mixed = (attention @ v).transpose(1, 2).reshape(batch, tokens, dim)
        x = x + scale("ls1.gamma", linear(block + "attn.proj", mixed))
        y = norm(block + "norm2", x)
        act = lambda which, y, block=block: rational(  # noqa: E731
            y, w[f"{block}mlp.{which}.weight_numerator"], w[f"{block}mlp.{which}.weight_denominator"], spec["form"]
        )
        if spec["family"] == "kat":
            y = linear(block + "mlp.fc2", act("act2", linear(block + "mlp.fc1", act("act1", y))))
        else:
            y = linear(block + "mlp.fc2", F.gelu(linear(block + "mlp.fc1", y)))
        x = x + scale("ls2.gamma", y)
    x = norm("norm", x)
    pooled = x[:, 0] if spec["pooling"] == "token" else x.mean(1)
    return linear("head", pooled)


def gradients(model, weights, images, labels, spec, dtype):
    """Logits, loss, and the gradients of the loss by images and by every weight."""
    w = {name: value.to(dtype).requires_grad_() for name, value in weights.items()}
    x = images.to(dtype).requires_grad_()
    logits = model(w, x, spec)
    loss = F.cross_entropy(logits, labels)
    slopes = torch.autograd.grad(loss, [x, *w.values()])
    named = zip(["images", *w], slopes, strict=True)
    return {"logits": logits.detach(), "loss": loss.detach(), **{f"grad.{name}": slope for name, slope in named}}


TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int32: "I32"}


def write(path, tensors):
    """A safetensors file."""
    header, at = {}, 0
    data = []
    for name, tensor in tensors.items():
        content = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + len(content)]}
        at += len(content)
        data.append(content)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(data))


def read(path):
    """The tensors of a safetensors file, float32."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", entry
        begin, end = (8 + length + at for at in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(content[begin:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors
