"""The kernel against the Jupyter project's own test suite for kernels."""

import unittest

import jupyter_kernel_test


class KatlabKernelTest(jupyter_kernel_test.KernelTests):
    kernel_name = "katlab"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    code_generate_error = "throw new RangeError('no')"
    code_execute_result = [
        {"code": "1 + 2", "result": "3"},
        {"code": "await Promise.resolve('later')", "result": "'later'"},
        {"code": "const xs: number[] = [1, 2]\nxs.map((x) => x * 2)", "result": "[ 2, 4 ]"},
    ]
    code_display_data = [
        {
            "code": "(globalThis as any)[Symbol.for('jupyter.kernel')].display({ 'text/html': '<b>x</b>' })",
            "mime": "text/html",
        },
        {
            "code": "(globalThis as any)[Symbol.for('jupyter.kernel')].display({ 'image/png': new Uint8Array([1]) })",
            "mime": "image/png",
        },
    ]
    code_clear_output = "(globalThis as any)[Symbol.for('jupyter.kernel')].clearOutput()"

    # The suite compares whole sets of matches, so each sample has one.
    completion_samples = [
        {"text": "Math.ma", "matches": {"max"}},
        {"text": "process.hrt", "matches": {"hrtime"}},
    ]
    code_inspect_sample = "Math.max"

    complete_code_samples = ["1 + 1", "function f() { return 1 }", "await f()"]
    incomplete_code_samples = ["function f() {", "f(1,", "`text"]
    invalid_code_samples = ["let 3", ")"]

    code_history_pattern = "1 ? 2*"
    supported_history_operations = ("tail", "range", "search")


if __name__ == "__main__":
    unittest.main()
