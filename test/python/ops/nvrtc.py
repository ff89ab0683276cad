"""NVRTC of the pip package nvidia-cuda-nvrtc, or of a CUDA torch, called directly: it needs no GPU."""

import ctypes
from pathlib import Path

import torch

SITE_PACKAGES = Path(torch.__file__).resolve().parents[1]


def find():
    """Path of libnvrtc.so.*, or None."""
    return next(iter(sorted(SITE_PACKAGES.glob("nvidia/*/lib/libnvrtc.so.1[0-9]"), reverse=True)), None)


def compile_source(path, architecture, defines):
    """Compiles a .cu with the headers beside it; returns (result code, log, size of the machine code)."""
    library = ctypes.CDLL(str(find()))
    headers = sorted(path.parent.glob("*.h"))
    program = ctypes.c_void_p()
    created = library.nvrtcCreateProgram(
        ctypes.byref(program),
        path.read_bytes(),
        path.name.encode(),
        len(headers),
        strings(header.read_text() for header in headers),
        strings(header.name for header in headers),
    )
    assert created == 0
    options = [f"--gpu-architecture={architecture}", "--std=c++17", *defines]
    result = library.nvrtcCompileProgram(program, len(options), strings(options))
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    library.nvrtcGetCUBINSize(program, ctypes.byref(size))
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return result, log.value.decode().strip(), size.value


def strings(values):
    encoded = [value.encode() for value in values]
    return (ctypes.c_char_p * len(encoded))(*encoded)
