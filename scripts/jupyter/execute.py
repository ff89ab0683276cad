"""Executes notebooks cell by cell and checks each: it must have run, and without an error.

The scale is written into the cell tagged `parameters`. The last line is `N passed, N failed[, N skipped]`, counting
code cells; those behind a failed cell are skipped. The exit code is 1 when a cell failed.
"""

import argparse
import datetime
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SCALE = re.compile(r'(\bscale\b[^=\n]*=\s*)"(?:quick|full)"')


def set_scale(notebook, scale):
    """Writes the scale into the parameters cell; returns the notebook's own source of that cell, to restore it."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            source = cell.source
            cell.source, found = SCALE.subn(rf'\1"{scale}"', source)
            if found != 1:
                sys.exit(f"parameters cell: must assign scale once; got {found} assignments. Write const scale = \"quick\";")
            return cell, source
    return None, None


def first_words(cell):
    line = next((line for line in cell.source.splitlines() if line.strip()), "")
    return line.strip()[:60]


def texts(cell):
    """What a cell shows, as plain text."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text.rstrip()
        elif "text/plain" in output.get("data", {}):
            yield output.data["text/plain"].rstrip()


def execute(path, arguments):
    """Returns the numbers of cells that passed, failed and were skipped."""
    notebook = nbformat.read(path, as_version=4)
    parameters, source = set_scale(notebook, arguments.scale) if arguments.scale else (None, None)
    cells = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    for _, cell in cells:
        cell.outputs, cell.execution_count = [], None
    reply = {}
    client = NotebookClient(
        notebook,
        kernel_name=arguments.kernel,
        timeout=arguments.timeout,
        raise_on_iopub_timeout=True,
        record_timing=False,
        on_cell_executed=lambda cell, cell_index, execute_reply: reply.update(execute_reply["content"]),
        resources={"metadata": {"path": str(path.parent)}},
    )
    print(f"{path} ({arguments.kernel}, {arguments.scale or 'as it is'})", flush=True)
    passed = 0
    start = time.monotonic()
    with client.setup_kernel():
        for number, (index, cell) in enumerate(cells, 1):
            began = time.monotonic()
            fault = None
            reply.clear()
            try:
                client.execute_cell(cell, index)
                # tslab's kernel does not tell the notebook, but says in its reply whether it ran the cell.
                if reply.get("status") != "ok" or reply.get("execution_count") is None:
                    fault = f"the kernel did not run it: it replied {reply}"
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                fault = str(error).strip()
            seconds = time.monotonic() - began
            print(f"  {'✓' if fault is None else '✗'} {number:2} {seconds:6.1f} s  {first_words(cell)}", flush=True)
            if fault is not None:
                print(fault)
                return passed, 1, len(cells) - number
            passed += 1
            if arguments.show:
                for text in texts(cell):
                    print("      " + text.replace("\n", "\n      "), flush=True)
    print(f"  {time.monotonic() - start:.1f} s", flush=True)
    if parameters is not None:
        parameters.source = source
    if arguments.write:
        write(notebook, path, arguments.scale)
    return passed, 0, 0


def write(notebook, path, scale):
    """Stores the outputs, with when and from what they were made."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    notebook.metadata["katlab"] = {
        "executed": datetime.date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "scale": scale,
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--scale", choices=["quick", "full"])
    parser.add_argument("--timeout", type=int, help="seconds a cell may take")
    parser.add_argument("--write", action="store_true", help="store the outputs in the files")
    parser.add_argument("--show", action="store_true", help="print what the cells show")
    arguments = parser.parse_args()
    counts = [execute(path, arguments) for path in arguments.files]
    passed, failed, skipped = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
