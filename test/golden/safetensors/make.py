"""Writes every-type.safetensors with the reference implementation (safetensors 0.8.0, Python 3.11, numpy 2.4.6).

Run: python -m pip install safetensors==0.8.0 numpy && python make.py
"""

from pathlib import Path

import numpy as np
from safetensors import TensorSpec, serialize_file

half = np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 2.0**-24, np.inf, -np.inf], dtype=np.float16)
tensors = {
    "blocks.0.mlp.fc1.weight": ("float32", np.array([[1.5, -2.25, 3.0], [0.1, 1e-45, -3.4e38]], dtype=np.float32)),
    "double": ("float64", np.array([0.1, -1e300], dtype=np.float64)),
    "half": ("float16", half),
    # bfloat16 has no numpy type: the upper halves of float32 1, -2, 3.140625, NaN
    "brain": ("bfloat16", np.array([0x3F80, 0xC000, 0x4049, 0x7FC0], dtype=np.uint16)),
    "long": ("int64", np.array([-(2**63), 2**63 - 1, -7], dtype=np.int64)),
    "int": ("int32", np.array([[-(2**31)], [2**31 - 1]], dtype=np.int32)),
    "byte": ("uint8", np.array([0, 255], dtype=np.uint8)),
    "flag": ("bool", np.array([True, False, True], dtype=np.bool_)),
    "scalar": ("float32", np.array(42.0, dtype=np.float32)),
    "empty": ("float32", np.zeros((2, 0, 3), dtype=np.float32)),
    "10": ("int32", np.array([10], dtype=np.int32)),
    'quoted "ß" \\': ("uint8", np.array([7], dtype=np.uint8)),
}
serialize_file(
    {
        name: TensorSpec(dtype=kind, shape=list(array.shape), data_ptr=array.ctypes.data, data_len=array.nbytes)
        for name, (kind, array) in tensors.items()
    },
    Path(__file__).with_name("every-type.safetensors"),
    {"made by": "make.py"},
)
