import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { type ExecutionResult, KernelClient } from "../../src/jupyter/client.js";
import type { JsonObject } from "../../src/jupyter/wire.js";

/** The built package whose kernel is tested: the repository, or the folder named by KATLAB_ROOT. */
export const packageRoot: string =
  process.env["KATLAB_ROOT"] ?? fileURLToPath(new URL("../..", import.meta.url));

const specFolder = path.join(packageRoot, "share", "jupyter", "kernels", "katlab");

const started: KernelClient[] = [];

/** Starts the built kernel as a process of its own; it ends with the test file. */
export async function startTestKernel({
  folder = tmpdir(),
  args = [],
}: { folder?: string; args?: string[] } = {}): Promise<KernelClient> {
  const kernel = await KernelClient.start({
    argv: [
      process.execPath,
      "--no-force-async-hooks-checks",
      path.join(specFolder, "kernel.mjs"),
      ...args,
      "{connection_file}",
    ],
    cwd: folder,
  });
  if (started.push(kernel) === 1) afterAll(() => started.forEach((running) => running.kill()));
  return kernel;
}

/** Writes files below a new folder; keys are paths. */
export function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "katlab-notebook-"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

/** Content of all messages of a type, in order. */
export function contentsOf({ outputs }: ExecutionResult, ...types: string[]): JsonObject[] {
  return outputs.filter(({ header }) => types.includes(header.msg_type)).map(({ content }) => content);
}

/** The text of a cell's result; undefined when it shows none. */
export function textOf(result: ExecutionResult): unknown {
  return (contentsOf(result, "execute_result")[0] as { data: JsonObject } | undefined)?.data["text/plain"];
}

/** Ready-made access to the host interface, for cells. */
export const hostCell = 'const host = (globalThis as any)[Symbol.for("jupyter.kernel")]';
