import { runtimeObject, stopFlagArray } from "../cellNames.js";
import { Interrupted } from "../interrupted.js";
import type { CellContexts } from "./cellContexts.js";
import { exportOf, type ModuleLoader, type ModuleNamespace } from "./moduleLoader.js";

/** What a cell has reported while it ran. */
export interface CellReport {
  /** Number of the last declaring statement that was executed; -1 before the first line. */
  reached: number;
  value: unknown;
}

/** The functions that emitted cells call, as `__cell.name`; `language/cellForm.ts` writes the calls. */
export interface CellRuntime {
  /** `import.meta` of cells. */
  readonly meta: ModuleLoader["meta"];
  readonly run: number;
  import(specifier: unknown, options?: ImportCallOptions): Promise<ModuleNamespace>;
  pick(namespace: ModuleNamespace, name: string, specifier: string): unknown;
  reached(statement: number): void;
  value(value: unknown): void;
  resumed<T>(run: number, value?: T): T | undefined;
  throwStopped(): never;
}

/**
 * Puts the functions that emitted cells call on `globalThis`, together with what CommonJS code expects there.
 *
 * @param reportOf the report of a run that is still going on
 */
export function installCellRuntime({
  contexts,
  loader,
  stopFlag,
  reportOf,
  afterImport,
}: {
  contexts: CellContexts;
  loader: ModuleLoader;
  stopFlag: Int32Array;
  reportOf: (run: number) => CellReport | undefined;
  afterImport: () => void;
}): void {
  const runtime: CellRuntime = {
    meta: loader.meta,
    get run() {
      return contexts.run;
    },
    async import(specifier, options) {
      const namespace = await loader.import(String(specifier), options);
      afterImport();
      return namespace;
    },
    pick: exportOf,
    reached(statement) {
      const report = reportOf(contexts.run);
      if (report !== undefined) report.reached = statement;
    },
    value(value) {
      const report = reportOf(contexts.run);
      if (report !== undefined) report.value = value;
    },
    resumed(run, value) {
      contexts.run = run;
      if (contexts.get(run)?.isStopped === true) throw new Interrupted();
      return value;
    },
    throwStopped() {
      throw new Interrupted();
    },
  };
  Object.defineProperty(globalThis, runtimeObject, { value: runtime });
  Object.defineProperty(globalThis, stopFlagArray, { value: stopFlag });
  const commonJs = {
    require: loader.require,
    module: { exports: {} },
    exports: {},
    __dirname: loader.meta.dirname,
    __filename: loader.meta.filename,
  };
  for (const [name, value] of Object.entries(commonJs)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
