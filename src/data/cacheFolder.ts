import { homedir } from "node:os";
import { join } from "node:path";

/** A folder of what can be had again: `$XDG_CACHE_HOME/katlab/…`, by default under `~/.cache`. */
export function cacheFolder(...parts: readonly string[]): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "katlab", ...parts);
}
