"""Notebooks executed without a front end, as tests and batch jobs do it."""

import subprocess
import sys
import time

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError


def notebook(*cells: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "katlab", "display_name": "TypeScript (katlab)"}})
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


def wait_for(client, request: str, condition) -> None:
    while True:
        message = client.get_iopub_msg(timeout=30)
        if message["parent_header"].get("msg_id") == request and condition(message):
            return
