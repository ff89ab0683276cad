"""Notebooks executed without a front end, as tests and batch jobs do it."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError


def notebook(*cells: str) -> nbformat.NotebookNode:
    kernelspec = {"name": "katlab", "display_name": "TypeScript (katlab)", "language": "typescript"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernelspec})
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return made


def execute(made: nbformat.NotebookNode, folder, **options) -> nbformat.NotebookNode:
    NotebookClient(made, resources={"metadata": {"path": str(folder)}}, timeout=60, **options).execute()
    return made


def test_runs_all_cells(tmp_path):
    made = execute(
        notebook(
            "import { readFileSync } from 'node:fs'\nconst greet = (name: string): string => `hello ${name}`",
            "console.log(greet('katlab'))\n42",
            "const host = (globalThis as any)[Symbol.for('jupyter.kernel')]\n"
            "for (let i = 0; i < 20; i++) host.display({ 'text/plain': String(i) }, { id: 'progress', update: i > 0 })",
        ),
        tmp_path,
    )
    assert [cell.execution_count for cell in made.cells] == [1, 2, 3]
    assert made.cells[1].outputs[0].text == "hello katlab\n"
    assert made.cells[1].outputs[1].data["text/plain"] == "42"
    assert [output.data["text/plain"] for output in made.cells[2].outputs] == ["19"]
    assert made.metadata.language_info.name == "typescript"


def test_loses_no_line(tmp_path):
    made = execute(notebook("for (let i = 0; i < 100_000; i++) console.log(i)"), tmp_path)
    text = "".join(output.text for output in made.cells[0].outputs)
    assert text == "".join(f"{i}\n" for i in range(100_000))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\nthrow new RangeError('too large')", "cell 2, line 2"),
        ("const n: string = 5", "Type 'number' is not assignable to type 'string'"),
        ("await Promise.reject(new Error('refused'))", "refused"),
    ],
)
def test_stops_at_a_failing_cell(tmp_path, cell, expected):
    made = notebook("1", cell, "'not reached'")
    with pytest.raises(CellExecutionError, match=expected):
        execute(made, tmp_path)
    assert made.cells[1].outputs[-1].output_type == "error"
    assert made.cells[2].outputs == []
    assert made.cells[2].execution_count is None


def test_goes_on_after_a_failing_cell_on_request(tmp_path):
    made = execute(notebook("throw new Error('expected')", "'reached'"), tmp_path, allow_errors=True)
    assert made.cells[1].outputs[0].data["text/plain"] == "'reached'"


def test_nbconvert_fails_with_the_traceback(tmp_path):
    path = tmp_path / "failing.ipynb"
    nbformat.write(notebook("const limit = 1", "if (limit < 2) throw new Error('over the limit')"), path)
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--stdout", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "over the limit" in done.stderr
    assert "cell 2, line 1" in done.stderr


def test_nbmake_fails_with_the_traceback(tmp_path):
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    nbformat.write(notebook("const limit = 3", "limit + 1"), good)
    nbformat.write(notebook("const limit = 1", "if (limit < 2) throw new Error('over the limit')"), bad)
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", str(good), str(bad)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "over the limit" in done.stdout
    assert "cell 2, line 1" in done.stdout


def test_papermill_fails_with_the_traceback(tmp_path):
    path, copy = tmp_path / "failing.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook("const limit = 1", "if (limit < 2) throw new Error('over the limit')"), path)
    command = [sys.executable, "-m", "papermill", str(path), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "Error: over the limit" in done.stderr
    assert "cell 2, line 1" in done.stderr
    assert nbformat.read(copy, as_version=4).cells[-1].outputs[0].output_type == "error"


def test_papermill_gives_parameters_by_the_recipe_in_the_docs(tmp_path):
    docs = (Path(__file__).parents[3] / "docs" / "notebooks.md").read_text()
    [recipe] = [block for block in re.findall(r"```python\n(.*?)```", docs, re.S) if "papermill" in block]
    made = notebook(
        "let epochs = 5; let name = 'x'; let rates: number[] = []; let check = true; let none: string | null = 'y'",
        "console.log(JSON.stringify({ epochs, name, rates, check, none }))",
    )
    made.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(made, tmp_path / "notebook.ipynb")
    (tmp_path / "run.py").write_text(recipe)
    arguments = {"epochs": 3, "name": 'a "quoted" name', "rates": [0.1, 2], "check": False, "none": None}
    command = [sys.executable, "run.py", "notebook.ipynb", "out.ipynb", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert executed.cells[1].metadata["tags"] == ["injected-parameters"]
    assert json.loads(executed.cells[2].outputs[0].text) == arguments


def test_our_own_run_writes_what_jupyter_would(tmp_path):
    made = notebook(
        "let count = 1",
        r"console.log('a\rb\r\nc\u2028d\x85e\vf 😀\n'.repeat(count)); process.stdout.write('no end')",
        """const host = (globalThis as any)[Symbol.for('jupyter.kernel')]
const json = { b: [1, 0.5, 1e-5, -2.5e-7, 'x', []], a: { '10': null, '9': true }, c: {} }
const figure = { 'text/html': '<b>\\n</b>', 'image/svg+xml': '<svg>\\n</svg>', 'application/json': json,
  'application/vnd.vegalite.v5+json': json, 'image/png': new Uint8Array([1]), 'text/plain': 'figure' }
host.display(figure, { metadata: { 'image/png': { width: 3 } } })
host.display({ 'text/plain': 'one' }, { id: 'shown' })
host.display({ 'text/plain': 'one\\ntwo' }, { id: 'shown', update: true })
count""",
        "throw new RangeError('expected')",
    )
    made.cells[0].metadata["tags"] = ["parameters"]
    made.cells[3].metadata["tags"] = ["raises-exception"]
    made.cells.insert(0, nbformat.v4.new_markdown_cell("# Title\n\u2028é"))
    given, copy = tmp_path / "given.ipynb", tmp_path / "copy.ipynb"
    nbformat.write(made, given)
    program = str(ROOT / "dist" / "cli" / "main.js")
    command = ["node", program, "notebook", "run", str(given), "-p", "count=2", "-o", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    executed = nbformat.read(copy, as_version=4)
    nbformat.validate(executed, relax_add_props=False)
    assert copy.read_text() == nbformat.writes(executed) + "\n"
    assert [cell.get("execution_count") for cell in executed.cells] == [None, 1, 2, 3, 4, 5]
    assert executed.cells[2].source == "let count = 2;"
    assert [cell.id for cell in executed.cells if cell is not executed.cells[2]] == [cell.id for cell in made.cells]


def test_a_cell_that_takes_too_long_is_stopped(tmp_path):
    made = notebook("while (true) {}")
    with pytest.raises(CellTimeoutError):
        NotebookClient(made, resources={"metadata": {"path": str(tmp_path)}}, timeout=3).execute()


def test_state_survives_an_interrupt_through_the_manager():
    manager, client = start_new_kernel(kernel_name="katlab")
    try:
        client.execute_interactive("let kept = 7", timeout=30)
        request = client.execute("console.log('runs'); while (true) {}")
        wait_for(client, request, lambda message: message["msg_type"] == "stream")
        started = time.monotonic()
        manager.interrupt_kernel()
        wait_for(client, request, lambda message: message["content"].get("execution_state") == "idle")
        assert time.monotonic() - started < 5
        reply = client.execute_interactive("kept", timeout=30)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def test_restart_forgets_state():
    manager, client = start_new_kernel(kernel_name="katlab")
    try:
        client.execute_interactive("let gone = 1", timeout=30)
        manager.restart_kernel()
        client.wait_for_ready(timeout=30)
        reply = client.execute_interactive("gone", timeout=30)
        assert "Cannot find name" in reply["content"]["evalue"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def test_a_crash_is_seen_as_a_dead_kernel_which_starts_again_with_nothing_left(tmp_path):
    with pytest.raises(DeadKernelError):
        execute(notebook("process.kill(process.pid, 'SIGKILL')"), tmp_path)
    manager, client = start_new_kernel(kernel_name="katlab")
    try:
        client.execute_interactive("let gone = 1", timeout=30)
        client.execute("process.kill(process.pid, 'SIGKILL')")
        deadline = time.monotonic() + 10
        while manager.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not manager.is_alive()
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=30)
        reply = client.execute_interactive("gone", timeout=30)
        assert "Cannot find name" in reply["content"]["evalue"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def test_a_kernelspec_below_a_prefix_is_found_and_starts(tmp_path):
    command = ["node", str(ROOT / "dist" / "cli" / "main.js"), "kernel", "install", "--prefix", str(tmp_path), "--name", "mine"]
    subprocess.run(command, check=True, capture_output=True)
    manager = KernelSpecManager(kernel_dirs=[str(tmp_path / "share" / "jupyter" / "kernels")])
    assert manager.get_kernel_spec("mine").display_name == "TypeScript (katlab)"
    kernel = KernelManager(kernel_name="mine", kernel_spec_manager=manager)
    kernel.start_kernel(cwd=str(tmp_path))
    client = kernel.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=30)
        assert client.execute_interactive("1 + 1", timeout=30)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel()


def wait_for(client, request: str, condition) -> None:
    while True:
        message = client.get_iopub_msg(timeout=30)
        if message["parent_header"].get("msg_id") == request and condition(message):
            return
