/** The thread that keeps the sockets: a busy main thread can lose no message, no heartbeat and no interrupt. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Connection } from "./connection.js";
import type { Language } from "./engine.js";
import { Peer } from "./peer.js";
import { KernelServer } from "./server/kernelServer.js";
import { logToTerminal } from "./terminal.js";
import type { MainService } from "./threads.js";
import { Wire } from "./wire.js";

/** What the main thread gives to this one. */
export interface ServerThreadData {
  connection: Connection;
  stopFlag: Int32Array;
  language: MessagePort;
  languageVersion: string;
  /** The process that started this one. */
  parentPid: number;
  /** Modules to read while the kernel is idle. */
  warm: readonly string[];
}

/** How often to look whether the Jupyter server is still there. */
const parentCheckMs = 2000;
/** Time a main thread gets to exit by itself. */
const exitMs = 500;

if (parentPort !== null) serve(parentPort, workerData as ServerThreadData);

function serve(
  toMain: MessagePort,
  { connection, stopFlag, language: toLanguage, languageVersion, parentPid, warm }: ServerThreadData,
): void {
  let main: Peer<MainService> | undefined;
  const language = new Peer<Language>(toLanguage, {});
  const exit = (): void => {
    main?.tell("exit");
    // One that is busy cannot exit by itself.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), exitMs);
    server.close();
  };
  const server = new KernelServer({
    connection,
    wire: new Wire({ ...connection, username: "kernel" }),
    main: (service) => (main = new Peer<MainService>(toMain, service)),
    language,
    languageVersion,
    stopFlag,
    exit,
  });
  server.start().then(
    () => language.tell("warm", warm),
    (fault: unknown) => {
      logToTerminal(`kernel: ${fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)}`);
      exit();
    },
  );
  setInterval(() => {
    if (process.ppid !== parentPid) exit();
  }, parentCheckMs);
}
