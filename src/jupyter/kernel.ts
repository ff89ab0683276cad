import { MessageChannel } from "node:worker_threads";
import { readConnectionFile } from "./connection.js";
import type { Engine } from "./engine.js";
import { MainThread } from "./runner/mainThread.js";
import type { ServerThreadData } from "./serverThread.js";
import { startThread } from "./startThread.js";

/** What cells are compiled and run by: the kernel's own engine, or tslab's compiler and executor. */
export type EngineName = "repl" | "tslab";

export const engineNames: readonly EngineName[] = ["repl", "tslab"];

export interface KernelOptions {
  /** The file by which Jupyter tells the kernel its addresses. */
  connectionFile: string;
  /** @default "repl" */
  engine?: EngineName;
  /**
   * Modules whose types are read ahead of their first import; those that are not installed are skipped.
   *
   * @default ["katlab"]
   */
  warm?: readonly string[];
}

/**
 * Turns this process into a Jupyter kernel for the notebooks of the current folder. It has three threads: this
 * one runs cells and nothing else, one keeps the sockets, one knows the language.
 *
 * @throws KatlabError when the connection file is not one
 */
export async function startKernel({
  connectionFile,
  engine: name = "repl",
  warm = ["katlab"],
}: KernelOptions): Promise<void> {
  // Read before anything that takes time: should the parent end meanwhile, this tells.
  const parentPid = process.ppid;
  if (starterHasEnded(parentPid)) process.exit();
  const connection = readConnectionFile(connectionFile);
  const engine = await engineOf(name);
  const folder = process.cwd();
  const stopFlag = new Int32Array(new SharedArrayBuffer(4));
  const { port1: language, port2: languageEnd } = new MessageChannel();
  const data: ServerThreadData = {
    connection,
    stopFlag,
    language,
    languageVersion: engine.version,
    parentPid,
    warm,
  };
  const server = startThread("serverThread", data, [language]);
  engine.startLanguage(languageEnd, folder);
  new MainThread(server, engine, folder, stopFlag);
}

/** Jupyter says which process starts a kernel. One that ended before we looked would leave us behind for ever. */
function starterHasEnded(parentPid: number): boolean {
  const pid = Number(process.env["JPY_PARENT_PID"]);
  if (!Number.isInteger(pid) || pid <= 0 || pid === parentPid) return false;
  try {
    return !process.kill(pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function engineOf(name: EngineName): Promise<Engine> {
  return name === "tslab"
    ? (await import("./tslab/tslabEngine.js")).tslabEngine
    : (await import("./replEngine.js")).replEngine;
}
