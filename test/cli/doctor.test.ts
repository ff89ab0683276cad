import { describe, expect, test } from "vitest";
import { formatReport } from "../../src/cli/doctor.js";
import type { DoctorReport } from "../../src/cli/doctorReport.js";

const report: DoctorReport = {
  schema: 1,
  ok: true,
  engine: { engine: "wasm", device: "cpu", deviceName: "A Processor", threads: 1, precision: "float32" },
  skipped: [{ engine: "torch", reason: "not built" }],
  versions: {
    katlab: "1.2.3",
    node: "20.19.0",
    tfjs: "4.22.0",
    torch: null,
    python: "3.11.2",
    compiler: null,
    jupyterlab: null,
  },
  checks: [
    { name: "node", ok: true, found: "20.19.0", remedy: null },
    { name: "compiler", ok: false, found: "not found", remedy: "Install g++." },
  ],
};

describe("formatReport", () => {
  test("aligns what is there, what is not, and the remedies", () => {
    expect(formatReport(report)).toBe(
      [
        "katlab 1.2.3: wasm on A Processor, 1 thread, float32",
        "",
        "✓ node      20.19.0",
        "✗ compiler  not found",
        "            → Install g++.",
      ].join("\n"),
    );
  });

  test("says so where no engine works", () => {
    expect(formatReport({ ...report, engine: null })).toMatch(/^katlab 1\.2\.3: no engine works\n/);
  });
});
