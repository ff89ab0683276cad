import type { StreamName } from "../threads.js";

/** Text of one stream that belongs to one run. */
export interface StreamText {
  job: number;
  name: StreamName;
  text: string;
}

/** Characters after which text is sent at once. */
const maxPending = 65_536;
/** A busy cell sends at least this often while it writes, so that it can be watched. */
const maxAgeMs = 50;
/** Text waits this long for more, once the cell lets the event loop turn. */
const quietMs = 20;

const { setTimeout, clearTimeout } = globalThis;

/** Joins small writes into few messages, without reordering and without losing any. */
export class StreamJoiner {
  readonly #send: (text: StreamText) => void;
  #pending: { job: number; name: StreamName; parts: string[]; size: number } | undefined;
  #sentAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (text: StreamText) => void) {
    this.#send = send;
  }

  write(job: number, name: StreamName, text: string): void {
    if (text === "") return;
    if (this.#pending?.job !== job || this.#pending.name !== name) this.flush();
    const pending = (this.#pending ??= { job, name, parts: [], size: 0 });
    pending.parts.push(text);
    pending.size += text.length;
    if (pending.size > maxPending || Date.now() - this.#sentAt > maxAgeMs) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), quietMs);
  }

  /** Sends what is pending. Every other message must be preceded by this, to stay in order. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === undefined) return;
    const { job, name, parts } = this.#pending;
    this.#pending = undefined;
    this.#sentAt = Date.now();
    this.#send({ job, name, text: parts.join("") });
  }
}
