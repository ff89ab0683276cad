import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, describe, expect, test, vi } from "vitest";
import { kernelCommand } from "../../src/cli/kernel.js";
import { jupyterPath } from "../../src/jupyter/kernelspec.js";

const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
afterEach(() => log.mockClear());

async function katlab(...args: string[]): Promise<string> {
  const silent = { writeErr: () => undefined, writeOut: () => undefined };
  const program = new Command("katlab").exitOverride().configureOutput(silent);
  program.addCommand(kernelCommand().copyInheritedSettings(program));
  for (const command of program.commands[0].commands) command.copyInheritedSettings(program);
  await program.parseAsync(args, { from: "user" });
  return log.mock.calls.flat().join("\n");
}

describe("katlab kernel", () => {
  test("path prints what JUPYTER_PATH takes", async () => {
    expect(await katlab("kernel", "path")).toBe(jupyterPath);
  });

  test("install writes a kernelspec below a prefix", async () => {
    const prefix = mkdtempSync(path.join(tmpdir(), "katlab-"));
    const printed = await katlab(
      "kernel",
      "install",
      "--prefix",
      prefix,
      "--engine",
      "tslab",
      "--name",
      "ts",
    );
    const folder = path.join(prefix, "share", "jupyter", "kernels", "ts");
    expect(printed).toBe(`kernelspec written to ${folder}`);
    expect(readFileSync(path.join(folder, "kernel.json"), "utf8")).toContain('"--engine"');
  });

  test("install writes one for a project, says how it is found, and remove takes it away", async () => {
    const project = mkdtempSync(path.join(tmpdir(), "katlab-"));
    writeFileSync(path.join(project, "package.json"), "{}");
    vi.spyOn(process, "cwd").mockReturnValue(project);
    const dataFolder = path.join(project, "share", "jupyter");
    const folder = path.join(dataFolder, "kernels", "katlab");
    expect(await katlab("kernel", "install", "--project")).toBe(
      `kernelspec written to ${folder}\nJupyter finds it with JUPYTER_PATH=${dataFolder}`,
    );
    log.mockClear();
    expect(await katlab("kernel", "list")).toContain(`✓ katlab  TypeScript (katlab)  ${folder}`);
    log.mockClear();
    expect(await katlab("kernel", "remove", "--project")).toBe(`removed ${folder}`);
    expect(existsSync(folder)).toBe(false);
    await expect(katlab("kernel", "remove", "--project")).rejects.toThrow(
      /must hold a kernel of katlab; got none/,
    );
  });

  test("refuses two places at once", async () => {
    await expect(katlab("kernel", "install", "--user", "--project")).rejects.toThrow(/cannot be used with/);
    await expect(katlab("kernel", "remove", "--prefix", "x", "--project")).rejects.toThrow(
      /cannot be used with/,
    );
  });

  test("refuses an engine it does not know", async () => {
    await expect(katlab("kernel", "install", "--engine", "python")).rejects.toThrow(
      /It must be repl or tslab/,
    );
  });
});
