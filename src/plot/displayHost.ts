import type { JsonObject, MimeBundle } from "./spec.js";

/** The part of the notebook host that figures need; see `src/jupyter` for the whole. */
export interface DisplayHost {
  /** Shows a bundle, or replaces the output that has the same `id`. */
  display(data: MimeBundle, options?: { metadata?: JsonObject; id?: string; update?: boolean }): unknown;
}

/** The notebook kernel this code runs in, if it is one that shows bundles. */
export function notebookHost(): DisplayHost | undefined {
  const host: unknown = (globalThis as { [key: symbol]: unknown })[Symbol.for("jupyter.kernel")];
  return typeof host === "object" && host !== null && "display" in host ? (host as DisplayHost) : undefined;
}
