import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type DoctorCheck, type DoctorReport, examine } from "../../src/cli/doctorReport.js";
import { runCommandLine } from "../../src/cli/main.js";

let programs: string;

beforeEach(async () => {
  programs = await mkdtemp(join(tmpdir(), "katlab-doctor-"));
  vi.stubEnv("PATH", programs);
  vi.stubEnv("CXX", "");
  vi.stubEnv("KATLAB_ENGINE", "wasm");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = 0;
  await rm(programs, { recursive: true });
});

async function addProgram(name: string, script: string): Promise<void> {
  await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(programs, name), 0o755);
}

function checkOf(report: DoctorReport, name: DoctorCheck["name"]): DoctorCheck {
  const found = report.checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

describe("examine", () => {
  test("gives versions, and for all that is missing a remedy", async () => {
    const report = await examine();
    expect(report).toMatchObject({
      schema: 1,
      ok: true,
      engine: { engine: "wasm", device: "cpu", threads: 1, precision: "float32" },
      versions: { node: process.versions.node, tfjs: "4.22.0", compiler: null },
    });
    expect(checkOf(report, "compiler")).toEqual({
      name: "compiler",
      ok: false,
      found: "not found",
      remedy: "Install g++ 12 or newer; the torch engine is built with it.",
    });
    for (const { ok, remedy } of report.checks) expect(remedy === null).toBe(ok);
  });

  test("finds the compiler of CXX, and reports its first line", async () => {
    vi.stubEnv("CXX", "my-compiler");
    await addProgram("my-compiler", "echo 'g++ 13.1'; echo Copyright");
    const report = await examine();
    expect(report.versions.compiler).toBe("g++ 13.1");
    expect(checkOf(report, "compiler")).toMatchObject({ ok: true, found: "g++ 13.1" });
  });

  test("separates what is missing of torch from what to do", async () => {
    vi.stubEnv("KATLAB_TORCH", programs);
    expect(checkOf(await examine(), "torch")).toEqual({
      name: "torch",
      ok: false,
      found: `torch: KATLAB_TORCH must name a site-packages folder with torch 2.11 or newer; got ${programs} without torch.`,
      remedy: "Correct it or unset it.",
    });
  });

  test("is loud about a GPU that is not used", async () => {
    await addProgram("nvidia-smi", "echo 'NVIDIA H200, 580.1'; echo 'NVIDIA H200, 580.1'");
    const gpu = checkOf(await examine(), "gpu");
    expect(gpu).toMatchObject({ ok: false, found: "2 × NVIDIA H200, driver 580.1, not used" });
    expect(gpu.remedy).toContain("KATLAB_TORCH");
  });

  test("takes an nvidia-smi without a driver for no GPU", async () => {
    await addProgram("nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9");
    expect(checkOf(await examine(), "gpu")).toMatchObject({ ok: true, found: "no NVIDIA GPU" });
  });

  test("reports that no engine works, with what the engine says", async () => {
    vi.stubEnv("KATLAB_ENGINE", "tensorflow");
    const report = await examine();
    expect(report).toMatchObject({ ok: false, engine: null, skipped: [] });
    const engine = checkOf(report, "engine");
    expect(engine.found).toMatch(/^tensorflow: .*; got none\.$/);
    expect(engine.remedy).toBe("It is optional; install one beside katlab to use it.");
  });
});

describe("katlab doctor", () => {
  test("--json prints the report and nothing else; its fields are those of schema 1", async () => {
    const print = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await runCommandLine(["node", "katlab", "doctor", "--json"]);
    expect(print).toHaveBeenCalledOnce();
    const report = JSON.parse(print.mock.calls[0][0] as string) as DoctorReport;
    expect(process.exitCode).toBe(0);
    expect(Object.keys(report)).toEqual(["schema", "ok", "engine", "skipped", "versions", "checks"]);
    expect(Object.keys(report.engine ?? {})).toEqual([
      "engine",
      "device",
      "deviceName",
      "threads",
      "precision",
    ]);
    expect(Object.keys(report.versions)).toEqual([
      "katlab",
      "node",
      "tfjs",
      "torch",
      "python",
      "compiler",
      "jupyterlab",
    ]);
    expect(report.checks.map(({ name }) => name)).toEqual([
      "node",
      "engine",
      "torch",
      "native",
      "gpu",
      "compiler",
      "python",
      "jupyterlab",
      "fashion-mnist",
    ]);
  });

  test("exits with 1 when no engine works", async () => {
    vi.stubEnv("KATLAB_ENGINE", "tensorflow");
    const print = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await runCommandLine(["node", "katlab", "doctor"]);
    expect(process.exitCode).toBe(1);
    expect(print.mock.calls[0][0]).toMatch(/^katlab \d+\.\d+\.\d+: no engine works\n/);
  });
});

describe("the command line", () => {
  test("shows a fault of ours as one sentence, without a stack", async () => {
    const complain = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await addProgram("somebody's file", "");
    await runCommandLine(["node", "katlab", "pack", "--out", programs]);
    expect(complain).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(
        /^katlab pack --out .*: must be a new folder or an older bundle; got a folder with 1 other entries\. Name another folder\.$/,
      ),
    );
    expect(process.exitCode).toBe(1);
  });
});
