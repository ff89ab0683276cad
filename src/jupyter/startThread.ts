import { type Transferable, Worker } from "node:worker_threads";
import { logToTerminal } from "./terminal.js";

/** Starts one of the kernel's own threads. Without it the kernel is of no use, so its failure ends the process. */
export function startThread(
  name: "serverThread" | "languageThread",
  data: object,
  transferList: Transferable[],
): Worker {
  const thread = new Worker(new URL(`./${name}.js`, import.meta.url), {
    workerData: data,
    transferList,
    execArgv: [],
  });
  thread.on("error", (fault) => {
    logToTerminal(`kernel: ${name}: ${fault.stack ?? fault.message}`);
    process.kill(process.pid, "SIGKILL");
  });
  return thread;
}
