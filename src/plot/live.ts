import { randomUUID } from "node:crypto";
import type { Figure } from "./figure.js";
import type { JsonObject, MimeBundle } from "./spec.js";

/** The part of the notebook host that a live figure needs; see `src/jupyter` for the whole. */
export interface DisplayHost {
  /** Shows a bundle, or replaces the output that has the same `id`. */
  display(data: MimeBundle, options?: { metadata?: JsonObject; id?: string; update?: boolean }): unknown;
}

/** Settings of a live figure. */
export interface LiveOptions {
  /** Redraws per second at most, above 0; default 5. */
  perSecond?: number;
  /** Where to show it; default is the notebook kernel the code runs in, if there is one. */
  host?: DisplayHost;
}

/**
 * One notebook output that is redrawn while code runs, at most a few times a second. What comes too early
 * waits, and only the newest state is drawn. Outside a notebook it draws nothing.
 */
export class LiveFigure {
  readonly #host: DisplayHost | undefined;
  readonly #intervalMs: number;
  readonly #id = randomUUID();
  #newest: (() => Figure) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #shownAt = -Infinity;
  #shown = false;

  constructor(options: LiveOptions = {}) {
    this.#host = options.host ?? notebookHost();
    this.#intervalMs = 1000 / (options.perSecond ?? 5);
  }

  /** Whether updates are seen: true in a notebook with our kernel. */
  get visible(): boolean {
    return this.#host !== undefined;
  }

  /**
   * Gives the newest state.
   *
   * @param draw - makes the figure; called only if that state is really shown, so it may be costly
   * @throws what an earlier `draw` threw
   */
  update(draw: () => Figure): void {
    this.#rethrow();
    if (this.#host === undefined) return;
    this.#newest = draw;
    if (this.#timer !== undefined) return;
    const waitMs = this.#shownAt + this.#intervalMs - performance.now();
    if (waitMs <= 0) this.#send(draw().toLightBundle());
    else this.#timer = setTimeout(() => this.#showLater(), waitMs);
  }

  /**
   * Shows the last state, now with the picture that saved notebooks keep, and stops redrawing.
   *
   * @param draw - the last state; default is the newest one given to `update`
   * @throws what `draw` threw
   */
  async finish(draw: (() => Figure) | undefined = this.#newest): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rethrow();
    if (this.#host === undefined || draw === undefined) return;
    const { data, metadata } = await draw().toDisplay();
    this.#send(data, metadata);
  }

  #showLater(): void {
    this.#timer = undefined;
    try {
      if (this.#newest !== undefined) this.#send(this.#newest().toLightBundle());
    } catch (error) {
      // Thrown from a timer it would end the process; the next call throws it to whoever draws.
      this.#failure = { error };
    }
  }

  #rethrow(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #send(data: MimeBundle, metadata: JsonObject = {}): void {
    this.#shownAt = performance.now();
    this.#host?.display(data, { metadata, id: this.#id, update: this.#shown });
    this.#shown = true;
  }
}

function notebookHost(): DisplayHost | undefined {
  const host: unknown = (globalThis as { [key: symbol]: unknown })[Symbol.for("jupyter.kernel")];
  return typeof host === "object" && host !== null && "display" in host ? (host as DisplayHost) : undefined;
}
