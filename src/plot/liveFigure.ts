import { randomUUID } from "node:crypto";
import type { Figure } from "./figure.js";
import { notebookHost, type DisplayHost } from "./displayHost.js";
import type { JsonObject, MimeBundle } from "./spec.js";

/** Settings of a {@link LiveFigure}. */
export interface LiveOptions {
  /** Redraws per second at most, above 0; default 5. */
  perSecond?: number;
  /** Where to show it; default is the notebook kernel the code runs in, if there is one. */
  host?: DisplayHost;
  /** Where the last state's text goes when there is no notebook; default `console.log`. */
  write?: (text: string) => void;
}

/**
 * One notebook output that is redrawn while code runs, at most a few times a second. What comes too early
 * waits, and only the newest state is drawn. Outside a notebook nothing is drawn until the end, and then as text.
 */
export class LiveFigure {
  readonly #host: DisplayHost | undefined;
  readonly #write: (text: string) => void;
  readonly #intervalMs: number;
  readonly #id = randomUUID();
  #newest: (() => Figure) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #shownAt = -Infinity;
  #shown = false;

  constructor(options: LiveOptions = {}) {
    this.#host = options.host ?? notebookHost();
    this.#write = options.write ?? console.log;
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
    this.#newest = draw;
    if (this.#host === undefined || this.#timer !== undefined) return;
    const waitMs = this.#shownAt + this.#intervalMs - performance.now();
    if (waitMs <= 0) this.#send(draw().toLightBundle());
    else this.#timer = setTimeout(() => this.#showLater(), waitMs);
  }

  /**
   * Shows the last state, now with the picture that saved notebooks keep, and stops redrawing. Outside a notebook
   * it writes the text.
   *
   * @param draw - the last state; default is the newest one given to `update`; without any, nothing is shown
   * @throws what `draw` threw
   */
  async finish(draw: (() => Figure) | undefined = this.#newest): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rethrow();
    if (draw === undefined) return;
    const figure = draw();
    if (this.#host === undefined) {
      this.#write(figure.text);
      return;
    }
    const { data, metadata } = await figure.toDisplay();
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
