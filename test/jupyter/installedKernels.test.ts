import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { installedKernels, removeKernelspec } from "../../src/jupyter/installedKernels.js";
import { installKernelspec, jupyterPath, type Kernelspec } from "../../src/jupyter/kernelspec.js";

const dataFolder = mkdtempSync(path.join(tmpdir(), "katlab-"));
const other = path.join(dataFolder, "kernels", "python3");
mkdirSync(other, { recursive: true });
writeFileSync(path.join(other, "kernel.json"), '{ "argv": ["python"], "display_name": "Python" }');
const broken = path.join(dataFolder, "kernels", "broken");
mkdirSync(broken);
writeFileSync(path.join(broken, "kernel.json"), "{");

describe("installed kernels", () => {
  test("are those of katlab", () => {
    const folder = installKernelspec(dataFolder);
    expect(installedKernels([dataFolder, "/no/such/folder"])).toEqual([
      { name: "katlab", displayName: "TypeScript (katlab)", folder },
    ]);
    expect(installedKernels([jupyterPath])).toMatchObject([{ name: "katlab" }]);
  });

  test("say what they miss", () => {
    const file = path.join(installKernelspec(dataFolder, { name: "moved" }), "kernel.json");
    const spec = JSON.parse(readFileSync(file, "utf8")) as Kernelspec;
    const argv = spec.argv.map((argument) => argument.replace(/^.*(?=.kernels.katlab.kernel\.mjs)/, "/gone"));
    writeFileSync(file, JSON.stringify({ ...spec, argv }));
    expect(installedKernels([dataFolder]).find(({ name }) => name === "moved")?.fault).toMatch(
      /^.gone.kernels.katlab.kernel\.mjs is gone$/,
    );
  });

  test("can be removed, others not", () => {
    const folder = installKernelspec(dataFolder, { name: "mine" });
    expect(removeKernelspec(dataFolder, "mine")).toBe(folder);
    expect(existsSync(folder)).toBe(false);
    expect(() => removeKernelspec(dataFolder, "mime")).toThrow(/must be one of katlab, moved; got "mime"/);
    expect(() => removeKernelspec(dataFolder, "../kernels/katlab")).toThrow(/must be one of/);
    expect(() => removeKernelspec(dataFolder, "python3")).toThrow(/must be a kernelspec of katlab/);
    expect(existsSync(other)).toBe(true);
  });
});
