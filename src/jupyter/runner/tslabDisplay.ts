import { createRequire } from "node:module";
import type { MimeBundle } from "../engine.js";
import type { JsonObject } from "../wire.js";
import type { KernelHost } from "./host.js";

/** What tslab's display functions write. */
interface TslabDisplay {
  data: MimeBundle;
  metadata: JsonObject;
  transient?: { display_id?: string };
}

/** The module of tslab that its display functions write through. */
interface TslabJupyter {
  lastWriteDisplayData: ((display: TslabDisplay, update: boolean) => void) | null;
}

/**
 * Makes `tslab.display` and `tslab.newDisplay` of notebooks written for tslab show through this kernel. tslab
 * keeps the current cell's display function in a module variable; every copy of tslab that has been loaded gets ours.
 */
export function connectTslabDisplay(host: KernelHost): void {
  const { cache } = createRequire(import.meta.url);
  for (const [file, module] of Object.entries(cache)) {
    if (module === undefined || !/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file)) continue;
    (module.exports as TslabJupyter).lastWriteDisplayData = ({ data, metadata, transient }, update) => {
      const id = transient?.display_id;
      host.display(data, { metadata, update, ...(id === undefined ? {} : { id }) });
    };
  }
}
