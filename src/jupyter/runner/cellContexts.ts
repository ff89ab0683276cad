/** What the kernel knows about a cell while its code runs, which may be after the cell has ended. */
export interface CellContext {
  /** Number of the run; output is published under it. */
  readonly id: number;
  /** The number beside the cell. */
  readonly count: number;
  readonly allowStdin: boolean;
  readonly abort: AbortController;
  /** Nobody waits for the cell any more: its output is dropped, its code ends at its next await. */
  isStopped: boolean;
}

/** Contexts kept for code that outlives its cell, such as timers. */
const maxContexts = 1000;

/**
 * Which cell the code now executing belongs to.
 *
 * No AsyncLocalStorage: before Node 24 it rests on promise hooks, and V8 aborts the process when a promise
 * reaction with such hooks is terminated. Instead, cells report the run they belong to after each await, and
 * timers carry it along. Code of libraries between two awaits of its own counts as the run that was last seen.
 */
export class CellContexts {
  /** Run that the executing code belongs to. */
  run = 0;
  #current: CellContext | undefined;
  #last: CellContext | undefined;
  readonly #contexts = new Map<number, CellContext>();

  /** The cell being waited for. */
  get current(): CellContext | undefined {
    return this.#current;
  }

  /** The cell to which output of the executing code belongs. */
  get here(): CellContext | undefined {
    return this.#contexts.get(this.run) ?? this.#current ?? this.#last;
  }

  /** The number beside the cell that runs, or ran last. */
  get count(): number {
    return this.#last?.count ?? 0;
  }

  get(run: number): CellContext | undefined {
    return this.#contexts.get(run);
  }

  /** What runs from now on is a cell, which is waited for. */
  begin(cell: { id: number; count: number; allowStdin: boolean }): CellContext {
    return (this.#current = this.#last = this.#enter(cell));
  }

  /**
   * What runs from now on answers a front end, e.g. because a widget was moved: for the run that made the widget, or
   * when that was stopped or is long gone, for nobody but the front end.
   */
  answer(id: number, run: number | undefined): void {
    const maker = run === undefined ? undefined : this.#contexts.get(run);
    if (maker === undefined || maker.isStopped) this.#enter({ id, count: this.count, allowStdin: false });
    else this.run = maker.id;
  }

  #enter({ id, count, allowStdin }: { id: number; count: number; allowStdin: boolean }): CellContext {
    const context = { id, count, allowStdin, abort: new AbortController(), isStopped: false };
    this.#contexts.set(id, context);
    for (const old of this.#contexts.keys()) {
      if (this.#contexts.size <= maxContexts) break;
      this.#contexts.delete(old);
    }
    this.run = id;
    return context;
  }

  end(context: CellContext): void {
    if (this.#current === context) this.#current = undefined;
  }
}
