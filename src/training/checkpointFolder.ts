import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mustBe } from "../errors.js";

/** Where and how often a run writes what it needs to go on. */
export interface CheckpointOptions {
  /** Folder of this run alone; made where it is missing. */
  readonly folder: string;
  /** A number of steps, or of epochs, between two checkpoints; default one epoch. There is one at the end, too. */
  readonly every?:
    | {
        /** At least 1. */
        readonly steps: number;
      }
    | {
        /** At least 1. */
        readonly epochs: number;
      };
  /** Checkpoints that are kept, the newest ones, at least 1; default 2. The best weights are kept beside them. */
  readonly keep?: number;
}

const stateName = /^step-(\d+)\.safetensors$/;
/** What a write that was killed leaves; see `atomicWrite`. */
const unfinishedName = /^\.(step-\d+|best)\.safetensors\..+\.tmp$/;

/** The checkpoints of one run: `step-00000120.safetensors`, …, and `best.safetensors`. */
export class CheckpointFolder {
  readonly #folder: string;
  readonly #keep: number;
  readonly #every: { readonly steps?: number; readonly epochs?: number };

  /** @throws KatlabError `invalid` for counts below 1 */
  constructor({ folder, every = { epochs: 1 }, keep = 2 }: CheckpointOptions) {
    this.#folder = folder;
    this.#keep = keep;
    this.#every = every;
    for (const [name, count] of Object.entries({ keep, ...every })) {
      if (Number.isInteger(count) && count >= 1) continue;
      throw mustBe({
        subject: "checkpoint",
        must: `${name} must be an integer of at least 1`,
        got: String(count),
        remedy: "Pass for example { every: { steps: 500 }, keep: 2 }.",
      });
    }
  }

  /** Where the best weights are. */
  get best(): string {
    return join(this.#folder, "best.safetensors");
  }

  /** Whether a checkpoint is due after this many steps. */
  dueAtStep(step: number): boolean {
    return this.#every.steps !== undefined && step % this.#every.steps === 0;
  }

  /** Whether a checkpoint is due after this epoch. */
  dueAtEpoch(epoch: number): boolean {
    return this.#every.epochs !== undefined && epoch % this.#every.epochs === 0;
  }

  /** Where the state after so many steps is written. */
  pathOf(step: number): string {
    return join(this.#folder, `step-${String(step).padStart(8, "0")}.safetensors`);
  }

  /** The newest checkpoint, if there is one. */
  async newest(): Promise<string | undefined> {
    const [last] = (await this.#states()).slice(-1);
    return last && join(this.#folder, last);
  }

  /**
   * Makes the folder, and clears away what a killed write left.
   *
   * @param fresh whether a new run starts
   * @throws KatlabError `invalid` when a new run would mix its checkpoints with another's
   */
  async open(fresh: boolean): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const states = await this.#states();
    if (fresh && states.length > 0) {
      throw mustBe({
        subject: `checkpoint folder ${this.#folder}`,
        must: "must hold no checkpoints when a run starts",
        got: `${states.length}, the newest ${states[states.length - 1]}`,
        remedy: "Resume to go on from there (resume: true, or --resume), or take another folder.",
      });
    }
    const names = await readdir(this.#folder);
    await this.#remove(names.filter((name) => unfinishedName.test(name)));
  }

  /** Removes all but the newest checkpoints. */
  async prune(): Promise<void> {
    await this.#remove((await this.#states()).slice(0, -this.#keep));
  }

  /** Names of the checkpoints, the newest last. */
  async #states(): Promise<string[]> {
    const stepOf = (name: string): number => Number(stateName.exec(name)?.[1]);
    return (await readdir(this.#folder))
      .filter((name) => stateName.test(name))
      .sort((a, b) => stepOf(a) - stepOf(b));
  }

  async #remove(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => rm(join(this.#folder, name), { force: true })));
  }
}
