import * as tf from "@tensorflow/tfjs-core";
import { byteText } from "../torch/byteText.js";
import { programLine } from "./programLine.js";

/** How a tensor came to be. */
export interface Origin {
  /** The tfjs kernel that ran. */
  readonly kernel: string | undefined;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  /** Elements. */
  readonly size: number;
  /** Its `stack` is written out when it is read. */
  readonly trace: { readonly stack: string };
}

/** Tensors of one kind that outlived a function: the same operation, shape and dtype, made by the same line. */
export interface Leak {
  /** The tfjs kernel that made them, for example `"MatMul"`; else the function, for example `"tensor2d"`. */
  readonly op: string;
  /** Their shape. */
  readonly shape: readonly number[];
  /** Their dtype. */
  readonly dtype: tf.DataType;
  /** How many there are. */
  readonly count: number;
  /** Bytes of all of them, as tfjs counts: 4 for a number, 8 for a complex one, 1 for a bool, 0 for strings. */
  readonly bytes: number;
  /** Where the program called what made them: `file:line:column`; null where only libraries ran. */
  readonly line: string | null;
  /** The whole stack under which the first was made, in V8's form. */
  readonly stack: string;
}

/** The tensors that outlived a function, as plain data that prints and displays itself. */
export class LeakReport<T> {
  /** What the function returned; its tensors are no leaks. */
  readonly value: T;
  /** What is left, the most bytes first. */
  readonly leaks: readonly Leak[];

  /** @internal */
  constructor(value: T, origins: readonly Origin[]) {
    this.value = value;
    this.leaks = grouped(origins);
  }

  /** Number of tensors left. */
  get count(): number {
    return this.leaks.reduce((sum, { count }) => sum + count, 0);
  }

  /** Bytes of the tensors left. */
  get bytes(): number {
    return this.leaks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** One line in all, and one for each kind of leak. */
  toString(): string {
    if (this.leaks.length === 0) return "no tensor outlived the function";
    const lines = this.leaks.map(({ op, shape, dtype, count, bytes, line }) => {
      const where = line === null ? "" : ` at ${line}`;
      return `  ${count} × ${op} ${dtype}[${shape.join(", ")}], ${byteText(bytes)}${where}`;
    });
    const tensors = this.count === 1 ? "1 tensor" : `${this.count} tensors`;
    return [`${tensors} outlived the function, ${byteText(this.bytes)}:`, ...lines].join("\n");
  }

  [Symbol.for("Jupyter.display")](): { data: Record<string, string> } {
    return { data: { "text/plain": this.toString() } };
  }
}

function grouped(origins: readonly Origin[]): Leak[] {
  const leaks = new Map<string, Leak>();
  for (const { kernel, shape, dtype, size, trace } of origins) {
    const { line, callee } = programLine(trace.stack);
    const op = kernel ?? callee ?? "tensor";
    const key = JSON.stringify([op, shape, dtype, line]);
    const same = leaks.get(key) ?? { op, shape, dtype, count: 0, bytes: 0, line, stack: trace.stack };
    const bytes = dtype === "string" ? 0 : size * tf.util.bytesPerElement(dtype);
    leaks.set(key, { ...same, count: same.count + 1, bytes: same.bytes + bytes });
  }
  return [...leaks.values()].sort((a, b) => b.bytes - a.bytes);
}
