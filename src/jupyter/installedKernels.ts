import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { mustBe, unknownOption } from "../errors.js";
import type { Kernelspec } from "./kernelspec.js";

/** A kernelspec that starts a kernel of some katlab. */
export interface InstalledKernel {
  name: string;
  displayName: string;
  /** Where its `kernel.json` is. */
  folder: string;
  /** Why it cannot start; undefined when it can. */
  fault?: string;
}

const ownProgram = /[\\/]kernels[\\/]katlab[\\/]kernel\.mjs$/;

/** Kernels of katlab, in this or other versions, below data folders of Jupyter. */
export function installedKernels(dataFolders: readonly string[]): InstalledKernel[] {
  return dataFolders.flatMap((dataFolder) => {
    const kernels = path.join(dataFolder, "kernels");
    if (!existsSync(kernels)) return [];
    return readdirSync(kernels)
      .sort()
      .flatMap((name) => describe(name, path.join(kernels, name)) ?? []);
  });
}

/**
 * Removes a kernelspec; those of other packages are left alone.
 *
 * @returns the folder that is gone
 * @throws KatlabError when there is none of this name, or it is not katlab's
 */
export function removeKernelspec(dataFolder: string, name: string): string {
  const folder = path.join(dataFolder, "kernels", name);
  const known = installedKernels([dataFolder]).map((kernel) => kernel.name);
  if (known.length === 0) {
    throw mustBe({
      subject: dataFolder,
      must: "must hold a kernel of katlab",
      got: "none",
      remedy: "See katlab kernel list.",
    });
  }
  if (path.basename(folder) !== name || !existsSync(folder)) {
    throw unknownOption(`kernel in ${dataFolder}`, name, known);
  }
  if (!known.includes(name)) {
    throw mustBe({
      subject: folder,
      must: "must be a kernelspec of katlab",
      got: "that of another kernel",
      remedy: `Remove it by: jupyter kernelspec remove ${name}`,
    });
  }
  rmSync(folder, { recursive: true });
  return folder;
}

function describe(name: string, folder: string): InstalledKernel | undefined {
  const file = path.join(folder, "kernel.json");
  if (!existsSync(file)) return undefined;
  let spec: Partial<Kernelspec>;
  try {
    spec = JSON.parse(readFileSync(file, "utf8")) as Partial<Kernelspec>;
  } catch {
    return undefined; // Jupyter does not list it either.
  }
  const argv = (spec.argv ?? []).map((argument) => argument.replace("{resource_dir}", folder));
  const program = argv.find((argument) => ownProgram.test(argument));
  if (program === undefined) return undefined;
  const missing = [argv[0], program].find((file) => path.isAbsolute(file) && !existsSync(file));
  return {
    name,
    displayName: spec.display_name ?? name,
    folder,
    ...(missing === undefined ? {} : { fault: `${missing} is gone` }),
  };
}
