"""Every CUDA source compiles for every architecture we name, without a warning. Needs no GPU."""

import os
import subprocess
import sys
import textwrap

import nvrtc
import pytest
import torch
from library import LIBRARY, ROOT

CUDA = ROOT / "native" / "cuda"
ARCHITECTURES = ["sm_75", "sm_80", "sm_90a", "sm_100", "sm_120"]
# Vector widths as native/cuda/rational.cc chooses them: up to 16 bytes, halved until they divide a group's width.
WIDEST = {"FLOAT32": 4, "BFLOAT16": 8, "FLOAT64": 2}


def rational_defines(element, vector, form="A", terms=(6, 4)):
    shape = f"-DFORM_{form}", f"-DNUMERATOR={terms[0]}", f"-DDENOMINATOR={terms[1]}"
    return (f"-DELEMENT_{element}", *shape, f"-DVECTOR={vector}")


DEFINES = {
    "rational.cu": [
        rational_defines(element, vector)
        for element, widest in WIDEST.items()
        for vector in (8, 4, 2, 1)
        if vector <= widest
    ],
}
# The largest and the smallest of each form: as many registers and as much shared memory as there can be.
EXTREMES = [
    rational_defines(element, widest, form, terms)
    for element, widest in WIDEST.items()
    for form in "ABCN"
    for terms in [(9, 9 if form == "C" else 8), (1, 1)]
]
COMBINATIONS = [
    *[(name, defines, each) for each in ARCHITECTURES for name, choices in DEFINES.items() for defines in choices],
    *[("rational.cu", defines, each) for each in (ARCHITECTURES[0], ARCHITECTURES[-1]) for defines in EXTREMES],
]

pytestmark = pytest.mark.skipif(
    nvrtc.find() is None and not os.environ.get("CI"),
    reason="NVRTC is not installed (pip: nvidia-cuda-nvrtc)",
)


def test_every_source_is_listed():
    assert sorted(DEFINES) == sorted(path.name for path in CUDA.glob("*.cu"))


@pytest.mark.parametrize("name, defines, architecture", COMBINATIONS, ids=lambda value: "".join(value))
def test_compiles_without_a_word(name, defines, architecture):
    result, log, size = nvrtc.compile_source(CUDA / name, architecture, defines)
    assert (result, log) == (0, "")
    assert size > 1000


class TestThroughTheLibrary:
    """katlab::compile_cuda: what the first call on a GPU does, up to the machine code."""

    @pytest.fixture
    def run(self, tmp_path):
        """Runs Python with the library loaded, in a process of its own, and returns what it printed."""

        def run(script, **variables):
            load = f"import torch; torch.ops.load_library({str(LIBRARY)!r})\ncompile = torch.ops.katlab.compile_cuda"
            environment = {
                "KATLAB_NVRTC": str(nvrtc.find()),
                "KATLAB_CACHE": str(tmp_path),
                **os.environ,
                **variables,
            }
            return subprocess.run(
                [sys.executable, "-c", load + "\n" + textwrap.dedent(script)],
                env=environment,
                capture_output=True,
                text=True,
            )

        return run

    code = """
        code = compile("rational.cu", "sm_90", ["-DELEMENT_FLOAT32", "-DFORM_A", "-DNUMERATOR=6", "-DDENOMINATOR=4", "-DVECTOR=4"])
        print(code.dtype, bytes(code[:4].tolist()), hash(bytes(code.tolist())))
    """

    def test_gives_machine_code_and_keeps_it(self, run, tmp_path):
        first = run(self.code, PYTHONHASHSEED="0")
        assert first.stdout.startswith(r"torch.uint8 b'\x7fELF'"), first.stderr
        (kept,) = (tmp_path / "cubin").iterdir()
        written = kept.stat().st_mtime_ns
        assert kept.read_bytes().startswith(b"rational.cu ")
        second = run(self.code, PYTHONHASHSEED="0")
        assert second.stdout == first.stdout
        assert kept.stat().st_mtime_ns == written

    @pytest.mark.parametrize(
        "spoil", [lambda text: text[:-1], lambda text: text[:40], lambda text: b"", bytes.upper]
    )
    def test_a_spoilt_file_is_compiled_again(self, run, tmp_path, spoil):
        first = run(self.code, PYTHONHASHSEED="0")
        (kept,) = (tmp_path / "cubin").iterdir()
        whole = kept.read_bytes()
        kept.write_bytes(spoil(whole))
        assert run(self.code, PYTHONHASHSEED="0").stdout == first.stdout
        assert kept.read_bytes() == whole

    def test_another_source_architecture_or_define_is_another_file(self, run, tmp_path):
        sources = tmp_path / "sources"
        sources.mkdir()
        for path in [*CUDA.glob("*.cu"), *CUDA.glob("*.h")]:
            (sources / path.name).write_text(path.read_text() + "\n// changed\n")
        run(self.code)
        run(self.code.replace("sm_90", "sm_80"))
        run(self.code.replace("VECTOR=4", "VECTOR=2"))
        run(self.code, KATLAB_CUDA_SOURCES=str(sources))
        assert len(list((tmp_path / "cubin").iterdir())) == 4

    def test_the_cache_follows_the_xdg_rules(self, run, tmp_path):
        run(self.code, KATLAB_CACHE="", XDG_CACHE_HOME=str(tmp_path / "xdg"))
        run(self.code, KATLAB_CACHE="", XDG_CACHE_HOME="", HOME=str(tmp_path / "home"))
        assert len(list((tmp_path / "xdg" / "katlab" / "cubin").iterdir())) == 1
        assert len(list((tmp_path / "home" / ".cache" / "katlab" / "cubin").iterdir())) == 1

    def test_works_without_a_place_for_the_cache(self, run, tmp_path):
        (tmp_path / "file").write_text("")
        result = run(self.code, KATLAB_CACHE=str(tmp_path / "file"))
        assert "ELF" in result.stdout
        assert "must be writable" in result.stderr
        assert "ELF" in run(self.code, KATLAB_CACHE="", XDG_CACHE_HOME="", HOME="").stdout

    def test_an_error_carries_the_compilers_log(self, run, tmp_path):
        result = run(self.code.replace("-DVECTOR=4", "-DVECTOR=nonsense"))
        assert "rational.cu must compile for sm_90; NVRTC says NVRTC_ERROR_COMPILATION" in result.stderr
        assert 'identifier "nonsense" is undefined' in result.stderr
        assert not (tmp_path / "cubin").exists()

    def test_says_what_is_missing(self, run, tmp_path):
        assert "KATLAB_NVRTC must be a libnvrtc.so" in run(self.code, KATLAB_NVRTC=str(tmp_path)).stderr
        assert "must be rational.cu; got other.cu" in run(self.code.replace("rational.cu", "other.cu")).stderr
        result = run(self.code, KATLAB_CUDA_SOURCES=str(tmp_path / "nowhere"))
        assert "KATLAB_CUDA_SOURCES must be a folder with rational.cu" in result.stderr


def test_the_operator_is_registered_for_cuda():
    assert torch._C._dispatch_has_kernel_for_dispatch_key("katlab::rational", "CUDA")
    assert torch._C._dispatch_has_kernel_for_dispatch_key("katlab::rational_backward", "CUDA")
