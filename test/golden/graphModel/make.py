"""Writes model.json and weights.bin, a graph as tfjs's converter writes it for a small convolutional network, and
outputs.json, what it computes by PyTorch in float64. Run with torch 2.13 on the CPU."""

import base64
import json
import pathlib

import torch
from torch.nn import functional

folder = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(2)


def draw(*shape):
    return 0.5 * torch.randn(*shape, generator=generator)


weights = {  # in TensorFlow's layout
    "conv/kernel": draw(3, 3, 1, 4),
    "conv/bias": draw(4),
    "depthwise/kernel": draw(3, 3, 4, 1),
    "norm/scale": 1 + draw(4),
    "norm/offset": draw(4),
    "norm/mean": draw(4),
    "norm/variance": 1 + draw(4) ** 2,
    "flatten/shape": torch.tensor([-1, 36], dtype=torch.int32),
    "dense/kernel": draw(36, 5),
    "dense/bias": draw(5),
    "class/axis": torch.tensor(1, dtype=torch.int32),
}
types = {torch.float32: ("float32", "DT_FLOAT"), torch.int32: ("int32", "DT_INT32")}


def text(value):
    return base64.b64encode(value.encode()).decode()


def string(value):
    return {"s": text(value)}


def strings(*values):
    return {"list": {"s": [text(value) for value in values]}}


def integers(*values):
    return {"list": {"i": [str(value) for value in values]}}


def shape(*sizes):
    return {"shape": {"dim": [{"size": str(size)} for size in sizes]}}


def node(name, op, inputs=(), **attr):
    return {"name": name, "op": op, "input": list(inputs), "attr": attr}


real = {"type": "DT_FLOAT"}
layout = {"data_format": string("NHWC"), "T": real}
nodes = [
    node(name, "Const", dtype={"type": types[value.dtype][1]}, value={"tensor": {
        "dtype": types[value.dtype][1],
        "tensorShape": {"dim": [{"size": str(size)} for size in value.shape]},
    }})
    for name, value in weights.items()
] + [
    node("image", "Placeholder", dtype=real, shape=shape(-1, 8, 8, 1)),
    node("conv", "_FusedConv2D", ["image", "conv/kernel", "conv/bias"], **layout, padding=string("SAME"),
         strides=integers(1, 1, 1, 1), dilations=integers(1, 1, 1, 1), fused_ops=strings("BiasAdd", "Relu"),
         num_args={"i": "1"}, epsilon={"f": 0.0}, explicit_paddings={"list": {}}),
    node("depthwise", "DepthwiseConv2dNative", ["conv", "depthwise/kernel"], **layout, padding=string("VALID"),
         strides=integers(1, 1, 1, 1), dilations=integers(1, 1, 1, 1), explicit_paddings={"list": {}}),
    node("norm", "FusedBatchNormV3", ["depthwise", "norm/scale", "norm/offset", "norm/mean", "norm/variance"], **layout,
         U=real, epsilon={"f": 0.001}, is_training={"b": False}),
    node("pool", "MaxPool", ["norm"], **layout, padding=string("VALID"), strides=integers(1, 2, 2, 1),
         ksize=integers(1, 2, 2, 1), explicit_paddings={"list": {}}),
    node("flat", "Reshape", ["pool", "flatten/shape"], T=real, Tshape={"type": "DT_INT32"}),
    node("logits", "_FusedMatMul", ["flat", "dense/kernel", "dense/bias"], T=real, transpose_a={"b": False},
         transpose_b={"b": False}, fused_ops=strings("BiasAdd"), num_args={"i": "1"}, epsilon={"f": 0.0}),
    node("probabilities", "Softmax", ["logits"], T=real),
    node("class", "ArgMax", ["logits", "class/axis"], T=real, Tidx={"type": "DT_INT32"}, output_type={"type": "DT_INT32"}),
]


def tensor_info(name, dtype, *sizes):
    return {"name": f"{name}:0", "dtype": dtype, "tensorShape": {"dim": [{"size": str(size)} for size in sizes]}}


model = {
    "format": "graph-model",
    "generatedBy": "make.py",
    "convertedBy": None,
    "signature": {
        "inputs": {"image": tensor_info("image", "DT_FLOAT", -1, 8, 8, 1)},
        "outputs": {
            "probabilities": tensor_info("probabilities", "DT_FLOAT", -1, 5),
            "class": tensor_info("class", "DT_INT32", -1),
        },
    },
    "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 1882}},
    "weightsManifest": [{
        "paths": ["weights.bin"],
        "weights": [
            {"name": name, "shape": list(value.shape), "dtype": types[value.dtype][0]}
            for name, value in weights.items()
        ],
    }],
}

images = torch.randn(3, 8, 8, 1, generator=generator)


def first(x):  # channels
    return x.permute(0, 3, 1, 2)


w = {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}
x = functional.conv2d(first(images.double()), w["conv/kernel"].permute(3, 2, 0, 1), w["conv/bias"], padding=1).relu()
x = functional.conv2d(x, w["depthwise/kernel"].permute(2, 3, 0, 1), groups=4)
x = functional.batch_norm(x, w["norm/mean"], w["norm/variance"], w["norm/scale"], w["norm/offset"], eps=0.001)
x = functional.max_pool2d(x, 2).permute(0, 2, 3, 1).reshape(3, 36)
logits = x @ w["dense/kernel"] + w["dense/bias"]

(folder / "model.json").write_text(json.dumps(model) + "\n")
(folder / "weights.bin").write_bytes(b"".join(value.contiguous().numpy().tobytes() for value in weights.values()))
(folder / "outputs.json").write_text(json.dumps({
    "maker": f"make.py, torch {torch.__version__}, seed 2",
    "images": images.flatten().tolist(),
    "probabilities": logits.softmax(1).flatten().tolist(),
    "class": logits.argmax(1).tolist(),
}, indent=1) + "\n")
