import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  installKernelspec,
  jupyterPath,
  kernelCommand,
  type Kernelspec,
} from "../../src/jupyter/kernelspec.js";

const readSpec = (folder: string): Kernelspec =>
  JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8")) as Kernelspec;

describe("the kernelspec of this package", () => {
  const folder = path.join(jupyterPath, "kernels", "katlab");

  test("names nothing by an absolute path", () => {
    const { argv, language, interrupt_mode: interruptMode } = readSpec(folder);
    expect(argv.some((argument) => path.isAbsolute(argument))).toBe(false);
    expect(argv.at(-1)).toBe("{connection_file}");
    expect(language).toBe("typescript");
    expect(interruptMode).toBe("message");
  });

  test("has the files it names", () => {
    const program = readSpec(folder).argv.find((argument) => argument.startsWith("{resource_dir}/"));
    expect(existsSync(path.join(folder, String(program?.slice("{resource_dir}/".length))))).toBe(true);
    expect(existsSync(path.join(folder, "logo-svg.svg"))).toBe(true);
  });
});

describe("an installed kernelspec", () => {
  test("starts this package with this Node", () => {
    const folder = installKernelspec(mkdtempSync(path.join(tmpdir(), "katlab-")));
    const { argv, display_name: displayName } = readSpec(folder);
    expect(folder).toMatch(/kernels[\\/]katlab$/);
    expect(argv[0]).toBe(process.execPath);
    expect(argv).toEqual(kernelCommand());
    expect(argv).toContain("--no-force-async-hooks-checks");
    expect(existsSync(String(argv.at(-2)))).toBe(true);
    expect(displayName).toBe("TypeScript (katlab)");
  });

  test("may have another name and engine", () => {
    const folder = installKernelspec(mkdtempSync(path.join(tmpdir(), "katlab-")), {
      name: "mine",
      engine: "tslab",
    });
    expect(folder).toMatch(/kernels[\\/]mine$/);
    expect(readSpec(folder).argv.slice(-3)).toEqual(["--engine", "tslab", "{connection_file}"]);
    expect(readSpec(folder).display_name).toBe("TypeScript (katlab, tslab)");
  });
});
