/** Seconds between starts and stops, added up. */
export class Stopwatch {
  #before: number;
  #startedAt: number | undefined;

  /** @param seconds what had passed before, in an earlier part of a run */
  constructor(seconds = 0) {
    this.#before = seconds;
  }

  /** What has passed so far. */
  get seconds(): number {
    return this.#before + (this.#startedAt === undefined ? 0 : (performance.now() - this.#startedAt) / 1000);
  }

  /** Goes on; nothing if it runs already. */
  start(): void {
    this.#startedAt ??= performance.now();
  }

  /** Halts; nothing if it stands already. */
  stop(): void {
    this.#before = this.seconds;
    this.#startedAt = undefined;
  }
}
