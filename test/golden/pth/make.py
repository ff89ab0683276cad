"""Files of torch.save for test/io/pth.test.ts, good ones and bad: python test/golden/pth/make.py (made with torch 2.13.0)."""

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch

HERE = Path(__file__).parent


def save(name, value, **options):
    torch.save(value, HERE / name, **options)


# Every value is its place in row-major order, times a half, plus one.
def counted(*shape, dtype=torch.float32):
    size = torch.Size(shape).numel()
    return (torch.arange(size, dtype=torch.float64) / 2 + 1).reshape(shape).to(dtype)


whole = counted(4, 6)
types = OrderedDict(
    float32=counted(2, 3),
    float64=counted(2, 3, dtype=torch.float64),
    float16=counted(2, 3, dtype=torch.float16),
    bfloat16=counted(2, 3, dtype=torch.bfloat16),
    int64=counted(2, 3, dtype=torch.int64),
    int32=counted(2, 3, dtype=torch.int32),
    int16=counted(2, 3, dtype=torch.int16),
    int8=counted(2, 3, dtype=torch.int8),
    uint8=counted(2, 3, dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    parameter=torch.nn.Parameter(counted(3)),
    whole=whole,
    rows=whole[1:3],
    columns=whole[:, ::2],
    transposed=whole.t(),
    middle=whole[1:3, 1:5].t(),
)
save("types.pth", types)
save("legacy.pth", types, _use_new_zipfile_serialization=False)
save("module.pth", torch.nn.Linear(3, 2).requires_grad_(False).state_dict())
save("entry.pth", {"epoch": 3, "note": "text", "model": {"module.w": counted(2), "module.b": counted(1)}, "lr": [0.1, None]})
save("entries.pth", {"state_dict": {"w": counted(2)}, "state_dict_ema": {"w": counted(2) * 3}})
save("numbers.pth", {"epoch": 3, "metrics": {"loss": 0.1}})
save("expanded.pth", {"w": torch.ones(1).expand(1000)})


class Harm:
    def __init__(self, call, *args):
        self.made = (call, args)

    def __reduce__(self):
        return self.made


def forged(name, data, records=(), good=types):
    """A zip file as torch.save makes it, with another pickle."""
    buffer = io.BytesIO()
    torch.save(good, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(HERE / name, "w") as target:
        for info in source.infolist():
            inner = info.filename.split("/", 1)[1]
            content = data if inner == "data.pkl" and data is not None else source.read(info)
            target.writestr(zipfile.ZipInfo(info.filename), dict(records).get(inner, content))


import os  # noqa: E402

pickled = lambda value: pickle.dumps(value, protocol=2)  # noqa: E731
forged("evil-system.pth", pickled({"w": Harm(os.system, "touch harmed")}))
forged("evil-eval.pth", pickled({"w": Harm(eval, "1 + 1")}))
forged("evil-nested.pth", pickled([[{"a": (Harm(getattr, OrderedDict, "clear"),)}]]))
forged("evil-ordered.pth", b"\x80\x02ccollections\nOrderedDict\n]q\x00(K\x01K\x02e\x85R.")
forged("evil-build.pth", b"\x80\x02ccollections\nOrderedDict\n}(X\x09\x00\x00\x00__proto__}X\x04\x00\x00\x00callK\x01ub.")
forged("not-a-pickle.pth", b"hello")
forged("cut-pickle.pth", b"\x80\x02}q\x00(X\x04\x00\x00")

storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu%stQ"


def tensor(elements, offset, size, stride):
    number = lambda value: b"J" + value.to_bytes(4, "little", signed=True)  # noqa: E731
    many = lambda values: b"(" + b"".join(number(v) for v in values) + b"t"  # noqa: E731
    return (
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n("
        + storage % number(elements)
        + number(offset)
        + many(size)
        + many(stride)
        + b"\x89ccollections\nOrderedDict\n)RtRs."
    )


six = {"w": counted(6)}
forged("good-forged.pth", tensor(6, 1, [2, 2], [2, 1]), good=six)
forged("evil-offset.pth", tensor(6, 3, [2, 2], [2, 1]), good=six)
forged("evil-stride.pth", tensor(6, 0, [2, 2], [1000000, 1]), good=six)
forged("evil-negative.pth", tensor(6, 5, [2, 2], [-2, 1]), good=six)
forged("evil-size.pth", tensor(6, 0, [100000, 100000], [0, 0]), good=six)
forged("evil-storage.pth", tensor(2000000000, 0, [2, 2], [2, 1]), good=six)
forged("big-endian.pth", None, [("byteorder", b"big")], good=six)
forged("no-tensor.pth", pickled(3))

class Scripted(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1


torch.jit.script(Scripted()).save(str(HERE / "script.pth"))
save("model.pth", torch.nn.Linear(1, 1))
