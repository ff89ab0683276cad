import type { Execution, Runner } from "../engine.js";
import { diagnosticsContent } from "../diagnosticsContent.js";
import { Interrupted, interruptedContent } from "../interrupted.js";
import type { Peer } from "../peer.js";
import type { RunOutcome, RunRequest, ServerService } from "../threads.js";
import type { CellContext, CellContexts } from "./cellContexts.js";
import { contentOfValue, jsonOf } from "./displayContent.js";
import { errorContent, type ErrorPlaces } from "./errorContent.js";

const { setImmediate } = globalThis;

/** A run that has not been reported as finished. */
interface Run {
  context: CellContext;
  /** How it ended, once it has. */
  outcome?: RunOutcome;
}

/**
 * Runs cells and reports how each ended, once.
 *
 * All of it is callbacks: V8 drops pending promise reactions when it terminates a runaway loop, and a report
 * among them would leave the front end waiting for ever.
 */
export class CellRuns {
  readonly #runner: Runner;
  readonly #contexts: CellContexts;
  readonly #server: Peer<ServerService>;
  readonly #places: ErrorPlaces;
  readonly #flush: () => void;
  #run: Run | undefined;

  constructor({
    runner,
    contexts,
    server,
    places,
    flush,
  }: {
    runner: Runner;
    contexts: CellContexts;
    server: Peer<ServerService>;
    places: ErrorPlaces;
    flush: () => void;
  }) {
    this.#runner = runner;
    this.#contexts = contexts;
    this.#server = server;
    this.#places = places;
    this.#flush = flush;
  }

  start({ cell, silent, allowStdin }: RunRequest): void {
    const context = this.#contexts.begin({ id: cell.id, count: cell.count, allowStdin });
    const run: Run = { context };
    this.#run = run;
    this.#runner.execute(cell, (execution) => {
      try {
        this.#conclude(run, execution, silent, cell);
      } catch (fault) {
        this.#finish(run, { reached: reachedOf(execution), error: errorContent(fault, this.#places) });
      }
    });
  }

  /** Asks the code of a run to end by itself. */
  abort(id: number): void {
    if (this.#run?.context.id !== id) return;
    this.#run.context.abort.abort(new DOMException("stopped by the user", "AbortError"));
  }

  /**
   * Ends a run whatever its code does. A run that is not known has finished, or the request for it was lost when
   * V8 terminated what ran: reporting its end is right in both cases.
   */
  stop(id: number): void {
    const run = this.#run;
    if (run?.context.id !== id) {
      this.#server.tell("finished", { job: id, outcome: { reached: -1, error: interruptedContent } });
      return;
    }
    run.context.isStopped = true;
    run.outcome ??= { reached: this.#runner.interrupt(id), error: interruptedContent };
    this.#report(run, run.outcome);
  }

  #conclude(run: Run, execution: Execution, silent: boolean, cell: RunRequest["cell"]): void {
    const reached = reachedOf(execution);
    if (execution.kind === "rejected") {
      this.#finish(run, { reached, error: diagnosticsContent(execution.diagnostics, cell) });
    } else if (execution.kind === "thrown") {
      // A loop that was stopped: what the cell has left behind, such as timers, is to be silent too.
      if (execution.error instanceof Interrupted) run.context.isStopped = true;
      this.#finish(run, { reached, error: errorContent(execution.error, this.#places) });
    } else if (execution.value === undefined || silent) {
      this.#finish(run, { reached });
    } else {
      const content = contentOfValue(execution.value);
      if (!(content instanceof Promise)) {
        this.#finish(run, { reached, result: jsonOf(content) });
      } else {
        content.then(jsonOf).then(
          (result) => this.#finish(run, { reached, result }),
          (fault: unknown) => this.#finish(run, { reached, error: errorContent(fault, this.#places) }),
        );
      }
    }
  }

  /** Lets output that is already on its way come first. */
  #finish(run: Run, outcome: RunOutcome): void {
    run.outcome = outcome;
    setImmediate(() => this.#report(run, outcome));
  }

  #report(run: Run, outcome: RunOutcome): void {
    if (this.#run !== run) return;
    this.#flush();
    this.#server.tell("finished", { job: run.context.id, outcome });
    this.#run = undefined;
    this.#contexts.end(run.context);
  }
}

function reachedOf(execution: Execution): number {
  return execution.kind === "rejected" ? -1 : execution.reached;
}
