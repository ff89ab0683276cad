import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineName } from "./kernel.js";

/** A `kernel.json`. */
export interface Kernelspec {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: "message" | "signal";
  metadata: Record<string, unknown>;
}

/** Name by which notebooks refer to this kernel. */
export const kernelName = "katlab";

/**
 * The folder to put into `JUPYTER_PATH`: the kernelspec in it starts the kernel of the package it lies in,
 * wherever that is. Nothing needs to be installed.
 */
export const jupyterPath: string = fileURLToPath(new URL("../../share/jupyter", import.meta.url));

const specFolder = path.join(jupyterPath, "kernels", kernelName);

/**
 * Writes a kernelspec that finds this package and this Node by their absolute paths, for Jupyter servers that
 * do not know `JUPYTER_PATH` or have another Node, or none, on their `PATH`.
 *
 * @param dataFolder a `share/jupyter` folder that the server looks into
 * @returns the folder of the new spec
 */
export function installKernelspec(
  dataFolder: string,
  { name = kernelName, engine = "repl" }: { name?: string; engine?: EngineName } = {},
): string {
  const folder = path.join(dataFolder, "kernels", name);
  mkdirSync(folder, { recursive: true });
  const spec = JSON.parse(readFileSync(path.join(specFolder, "kernel.json"), "utf8")) as Kernelspec;
  const installed: Kernelspec = {
    ...spec,
    argv: kernelCommand({ spec, engine }),
    display_name: engine === "repl" ? spec.display_name : `TypeScript (katlab, ${engine})`,
  };
  writeFileSync(path.join(folder, "kernel.json"), `${JSON.stringify(installed, null, 2)}\n`);
  copyFileSync(path.join(specFolder, "logo-svg.svg"), path.join(folder, "logo-svg.svg"));
  return folder;
}

/** The command that starts this package's kernel with this Node; `{connection_file}` is still to be replaced. */
export function kernelCommand({
  spec = JSON.parse(readFileSync(path.join(specFolder, "kernel.json"), "utf8")) as Kernelspec,
  engine = "repl",
}: { spec?: Kernelspec; engine?: EngineName } = {}): string[] {
  const argv = spec.argv.map((argument) => argument.replace("{resource_dir}", specFolder));
  const connectionFile = argv.indexOf("{connection_file}");
  return [
    process.execPath,
    ...argv.slice(1, connectionFile),
    ...(engine === "repl" ? [] : ["--engine", engine]),
    ...argv.slice(connectionFile),
  ];
}
