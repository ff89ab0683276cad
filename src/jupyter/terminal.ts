import { writeSync } from "node:fs";

/** Writes a line to the terminal itself, past whatever cells see. */
export function logToTerminal(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // A closed terminal is no reason to stop.
  }
}
