import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./startCommand.js";

/** Ignored by git, inside the repository, where "katlab" can be imported. */
const folder = "build/e2e";

/** Stores a notebook of these cells for our kernel; gives its path in the repository. */
export function codeNotebook(name: string, sources: readonly string[]): string {
  const cells = sources.map((source, index) => ({
    cell_type: "code",
    id: `cell-${index}`,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  const kernelspec = { name: "katlab", display_name: "TypeScript (katlab)", language: "typescript" };
  return storeNotebook(name, { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells });
}

/** Stores a notebook; gives its path in the repository. */
export function storeNotebook(name: string, notebook: object): string {
  const path = `${folder}/${name}`;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(notebook));
  return path;
}
