import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { atomicWrite, writeFully } from "../io/atomicWrite.js";
import type { TrainingEpoch, TrainingHistory, TrainingStep } from "../plot/trainingData.js";
import type { Run, RunRecord } from "./run.js";

/** What a log starts with. */
export type RunLogHead = Pick<RunRecord, "model" | "data" | "engine" | "recipe">;

/**
 * A run in files: `run.jsonl` grows with it, one object a line (`kind` is `run`, `step` or `epoch`); `steps.parquet`,
 * `epochs.parquet` and `run.json` are written when it ends.
 */
export class RunLog {
  readonly #folder: string;
  readonly #lines: string;

  /** @param folder made where it is missing */
  constructor(folder: string) {
    this.#folder = folder;
    this.#lines = join(folder, "run.jsonl");
  }

  /** Starts the log anew, with what is known so far: what a resumed run will do again must not be there twice. */
  async open(head: RunLogHead, { steps, epochs }: TrainingHistory): Promise<void> {
    const lines = [line("run", head)];
    let next = 0;
    for (const step of steps) {
      for (; next < epochs.length && epochs[next].epoch < step.epoch; next++)
        lines.push(epochLine(epochs[next]));
      lines.push(stepLine(step));
    }
    lines.push(...epochs.slice(next).map((epoch) => epochLine(epoch)));
    await this.#write("run.jsonl", Buffer.from(lines.join("")));
  }

  /** Adds steps. */
  async steps(steps: readonly TrainingStep[]): Promise<void> {
    if (steps.length > 0) await appendFile(this.#lines, steps.map(stepLine).join(""));
  }

  /** Adds an epoch. */
  async epoch(epoch: TrainingEpoch): Promise<void> {
    await appendFile(this.#lines, epochLine(epoch));
  }

  /** Writes the tables, and the rest of the run. */
  async close(run: Run): Promise<void> {
    const { history, ...record } = run.toJSON();
    await this.#write("steps.parquet", await parquet(history.steps, stepColumns));
    await this.#write("epochs.parquet", await parquet(history.epochs, epochColumns));
    await this.#write("run.json", Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`));
  }

  #write(name: string, bytes: Uint8Array): Promise<void> {
    return atomicWrite(join(this.#folder, name), (file) => writeFully(file, bytes));
  }
}

const stepColumns: Readonly<Record<keyof TrainingStep, ColumnType>> = {
  step: "INT32",
  epoch: "INT32",
  loss: "DOUBLE",
  learningRate: "DOUBLE",
};

const epochColumns: Readonly<Record<keyof TrainingEpoch, ColumnType>> = {
  epoch: "INT32",
  trainLoss: "DOUBLE",
  validationLoss: "DOUBLE",
  validationAccuracy: "DOUBLE",
  testLoss: "DOUBLE",
  testAccuracy: "DOUBLE",
  emaLoss: "DOUBLE",
  emaAccuracy: "DOUBLE",
  seconds: "DOUBLE",
};

type ColumnType = "INT32" | "DOUBLE";

/** A table of one column for each name; what a row has not is null. */
async function parquet<Row extends object>(
  rows: readonly Row[],
  columns: Readonly<Record<keyof Row & string, ColumnType>>,
): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const names = Object.keys(columns) as (keyof Row & string)[];
  const columnData = names.map((name) => ({
    name,
    type: columns[name],
    data: rows.map((row) => row[name] ?? null),
    nullable: true,
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function stepLine(step: TrainingStep): string {
  return line("step", inOrder(step, stepColumns));
}

function epochLine(epoch: TrainingEpoch): string {
  return line("epoch", inOrder(epoch, epochColumns));
}

/** The same whether a row was just made or comes from a checkpoint. */
function inOrder<Row extends object>(
  row: Row,
  columns: Readonly<Record<keyof Row & string, ColumnType>>,
): object {
  const names = Object.keys(columns) as (keyof Row & string)[];
  return Object.fromEntries(names.flatMap((name) => (name in row ? [[name, row[name]]] : [])));
}

function line(kind: string, content: object): string {
  return `${JSON.stringify({ kind, ...content })}\n`;
}
