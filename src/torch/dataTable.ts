import { setImmediate } from "node:timers";
import type * as tf from "@tensorflow/tfjs-core";

/**
 * What a backend keeps for each tfjs data id, for as long as the data id exists.
 *
 * A tensor that is garbage collected without having been disposed takes its data id with it; its entry then goes to
 * `collected`. That happens between two turns of the event loop, never while a program runs.
 *
 * Most tensors are gone at once. So that they cost nothing, a data id is watched only when it is still there at the end of
 * the turn that made it, or after a thousand others.
 */
export class DataTable<Entry extends object> {
  readonly #collected: (entry: Entry) => void;
  readonly #turned: () => void;
  readonly #watched = new Set<Entry>();
  readonly #registry = new FinalizationRegistry<Entry>((entry) => {
    if (!this.#watched.delete(entry)) return;
    this.#size--;
    this.#collected(entry);
  });
  /** Data ids made since the last look. */
  #young: tf.DataId[] = [];
  /** Entries of data ids that other backends made. */
  #foreign = new WeakMap<tf.DataId, Entry>();
  /** Marks the data ids made since the last `clear`. */
  #generation: object = {};
  #size = 0;
  #turnPending = false;

  /**
   * @param collected takes the entry of a data id that is no more
   * @param turned is called at the end of every turn of the event loop that made entries
   */
  constructor(collected: (entry: Entry) => void, turned: () => void) {
    this.#collected = collected;
    this.#turned = turned;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** A new data id with an entry. */
  create(entry: Entry): tf.DataId {
    const dataId = new OwnDataId<Entry>(this.#generation, entry);
    this.#count(dataId);
    return dataId;
  }

  /** The entry of a data id; undefined where there is none. */
  get(dataId: tf.DataId): Entry | undefined {
    return this.#isOwn(dataId) ? dataId.entry : this.#foreign.get(dataId);
  }

  /** Gives a data id an entry, in place of the one it may have. */
  set(dataId: tf.DataId, entry: Entry): void {
    this.delete(dataId);
    if (this.#isOwn(dataId)) dataId.entry = entry;
    else this.#foreign.set(dataId, entry);
    this.#count(dataId);
  }

  /** Forgets a data id. */
  delete(dataId: tf.DataId): void {
    const entry = this.get(dataId);
    if (entry === undefined) return;
    if (this.#isOwn(dataId)) dataId.entry = undefined;
    else this.#foreign.delete(dataId);
    this.#watched.delete(entry);
    this.#size--;
  }

  /** Forgets all data ids; returns their entries. */
  clear(): Entry[] {
    this.#watch();
    const entries = [...this.#watched];
    this.#watched.clear();
    this.#foreign = new WeakMap();
    this.#generation = {};
    this.#size = 0;
    return entries;
  }

  #isOwn(dataId: tf.DataId): dataId is OwnDataId<Entry> {
    return dataId instanceof OwnDataId && dataId.generation === this.#generation;
  }

  #count(dataId: tf.DataId): void {
    this.#size++;
    if (this.#young.push(dataId) >= 1000) this.#watch();
    if (this.#turnPending) return;
    this.#turnPending = true;
    setImmediate(() => {
      this.#turnPending = false;
      this.#watch();
      this.#turned();
    }).unref();
  }

  #watch(): void {
    for (const dataId of this.#young) {
      const entry = this.get(dataId);
      if (entry === undefined || this.#watched.has(entry)) continue;
      this.#watched.add(entry);
      this.#registry.register(dataId, entry);
    }
    this.#young = [];
  }
}

/** A data id that knows its entry: found faster than in any map, and tfjs asks several times for each tensor. */
class OwnDataId<Entry> {
  readonly generation: object;
  entry: Entry | undefined;

  constructor(generation: object, entry: Entry) {
    this.generation = generation;
    this.entry = entry;
  }
}
