import { Console } from "node:console";
import { StringDecoder } from "node:string_decoder";
import { logToTerminal } from "../terminal.js";
import type { StreamName } from "../threads.js";
import type { CellContexts } from "./cellContexts.js";
import type { StreamJoiner } from "./streamJoiner.js";

type WriteCallback = (error?: Error | null) => void;

/**
 * Sends what JavaScript writes to stdout and stderr to the cell it belongs to, and gives cells a console of
 * their own. Text written before the first cell goes to the terminal.
 */
export function installStdio(joiner: StreamJoiner, contexts: CellContexts): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    stream.write = writer(name, joiner, contexts);
    // The terminal that the Jupyter server was started from is not where the text appears.
    stream.isTTY = false;
  }
  // Not Node's console: with a session open, that one keeps every logged object for the inspector.
  const console = new Console({ stdout: process.stdout, stderr: process.stderr, ignoreErrors: false });
  Object.defineProperty(globalThis, "console", {
    value: Object.assign(console, { Console }),
    writable: true,
    configurable: true,
  });
}

function writer(name: StreamName, joiner: StreamJoiner, contexts: CellContexts): NodeJS.WriteStream["write"] {
  const decoder = new StringDecoder("utf8");
  return (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): boolean => {
    const text =
      typeof chunk === "string"
        ? textOf(chunk, typeof encoding === "string" ? encoding : "utf8")
        : decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const cell = contexts.here;
    if (cell === undefined) logToTerminal(text.replace(/\n$/, ""));
    else if (!cell.isStopped) joiner.write(cell.id, name, text);
    const done = typeof encoding === "function" ? encoding : callback;
    if (done !== undefined) queueMicrotask(() => done());
    return true;
  };
}

/** Strings in `hex` or `base64` stand for bytes. */
function textOf(chunk: string, encoding: BufferEncoding): string {
  return /^(utf-?8|ucs-?2|utf-?16le)$/i.test(encoding)
    ? chunk
    : Buffer.from(chunk, encoding).toString("utf8");
}
