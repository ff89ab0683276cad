import { Session } from "node:inspector";
import type { Peer } from "../peer.js";
import type { MainService } from "../threads.js";

/** What the stop button needs to know about the cell that runs. */
export interface Interruptible {
  /** Number of the run, once the cell is past the compiler. */
  run: number | undefined;
  /** The stop button was pressed while the cell ran, or before. */
  isInterrupted: boolean;
  /** Its code reads the stop signal. */
  listensToSignal: boolean;
  readonly ended: Promise<void>;
}

/** Time a main thread may take to show that it is not stuck. */
const pulseMs = 80;
/** Time loops of cells are given to see the stop flag, before V8 is told to terminate whatever runs. */
const flagMs = 250;
/** Time code that listens to the signal is given to end by itself. */
const politeMs = 5000;
/** Between attempts to terminate. */
const retryMs = 200;

/**
 * The stop button: asks first, and forces only a main thread that does not answer.
 *
 * 1. The cell's signal is aborted. Code that reads it gets time; a second press ends that.
 * 2. A main thread that answers is free: the cell is ended, and its code stops at its next await.
 * 3. One that does not is in a loop. Loops of cells look at a flag and throw.
 * 4. What still runs, such as a library's loop, is terminated by V8 from this thread; state survives.
 */
export class Interrupter {
  readonly #main: Peer<MainService>;
  readonly #stopFlag: Int32Array;
  readonly #isCurrent: (cell: Interruptible) => boolean;
  #forcing: Interruptible | undefined;

  constructor(main: Peer<MainService>, stopFlag: Int32Array, isCurrent: (cell: Interruptible) => boolean) {
    this.#main = main;
    this.#stopFlag = stopFlag;
    this.#isCurrent = isCurrent;
  }

  async interrupt(cell: Interruptible): Promise<void> {
    const isFirst = !cell.isInterrupted;
    cell.isInterrupted = true;
    const { run } = cell;
    // Before its code has started, whoever starts it sees that it is interrupted.
    if (run === undefined) return;
    this.#main.tell("abort", run);
    if (cell.listensToSignal && isFirst) await Promise.race([cell.ended, delay(politeMs)]);
    if (!this.#isCurrent(cell) || this.#forcing === cell) return;
    this.#forcing = cell;
    try {
      await this.#free(cell);
      if (this.#isCurrent(cell)) this.#main.tell("stop", run);
    } finally {
      this.#forcing = undefined;
    }
  }

  /** Brings the main thread back to its event loop. */
  async #free(cell: Interruptible): Promise<void> {
    if (await this.#pulse(pulseMs)) return;
    Atomics.store(this.#stopFlag, 0, 1);
    const isFree = await this.#pulse(flagMs);
    Atomics.store(this.#stopFlag, 0, 0);
    if (isFree) return;
    const session = new Session();
    session.connectToMainThread();
    try {
      while (this.#isCurrent(cell)) {
        await terminate(session);
        // The termination may have hit the answer to the first question, never that to the second.
        if ((await this.#pulse(retryMs)) || (await this.#pulse(retryMs))) return;
      }
    } finally {
      session.disconnect();
    }
  }

  async #pulse(withinMs: number): Promise<boolean> {
    return Promise.race([this.#main.ask("pulse"), delay(withinMs).then(() => false)]);
  }
}

/** Settles when V8 has unwound the main thread, or after a while. */
async function terminate(session: Session): Promise<void> {
  const done = new Promise<void>((resolve) => session.post("Runtime.terminateExecution", () => resolve()));
  await Promise.race([done, delay(retryMs)]);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
