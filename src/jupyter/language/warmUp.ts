import { builtinModules } from "node:module";
import path from "node:path";
import ts from "typescript";
import type { CellModules } from "./cellModules.js";

/**
 * Parses the declarations of modules before a cell imports them, one file a step, so that a request in between
 * waits for one file and not for five hundred.
 */
export class WarmUp {
  readonly #modules: CellModules;
  readonly #queue: string[] = [];
  readonly #seen = new Set<string>();

  constructor(modules: CellModules, names: readonly string[]) {
    this.#modules = modules;
    const cell = path.join(modules.host.getCurrentDirectory(), "cell.ts");
    for (const name of names) this.#follow(name, cell, ts.ModuleKind.ESNext);
  }

  /** Parses one more file; false when none is left. */
  step(): boolean {
    const file = this.#queue.pop();
    if (file === undefined) return false;
    const snapshot = this.#modules.host.getScriptSnapshot(file);
    if (snapshot === undefined) return true;
    const { registry, resolver, options, host } = this.#modules;
    const format = resolver.formatOf(file);
    registry.acquireDocument(file, options, snapshot, host.getScriptVersion(file), ts.ScriptKind.TS, {
      languageVersion: ts.ScriptTarget.ES2022,
      ...(format === undefined ? {} : { impliedNodeFormat: format }),
    });
    const text = snapshot.getText(0, snapshot.getLength());
    const { importedFiles, referencedFiles } = ts.preProcessFile(text);
    for (const { fileName } of importedFiles) this.#follow(fileName, file, format);
    for (const { fileName } of referencedFiles) this.#add(path.resolve(path.dirname(file), fileName));
    return true;
  }

  #follow(name: string, from: string, mode: ts.ResolutionMode): void {
    if (builtinModules.includes(name.replace(/^node:/, ""))) return;
    const { resolvedModule } = this.#modules.resolver.resolve(name, from, mode);
    if (resolvedModule !== undefined) this.#add(resolvedModule.resolvedFileName);
  }

  #add(file: string): void {
    if (this.#seen.has(file) || !/\.d\.[cm]?ts$/.test(file)) return;
    this.#seen.add(file);
    this.#queue.push(file);
  }
}
