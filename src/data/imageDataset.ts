import type { Dataset, Split } from "./dataset.js";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");
const nodeInspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** A {@link Dataset} that shows itself in one line, as the last value of a cell or in a terminal. */
export class ImageDataset implements Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: Split;
  readonly validation?: Split;
  readonly test: Split;
  readonly mean: readonly number[];
  readonly std: readonly number[];

  constructor(content: Dataset) {
    this.name = content.name;
    this.classes = content.classes;
    this.train = content.train;
    if (content.validation !== undefined) this.validation = content.validation;
    this.test = content.test;
    this.mean = content.mean;
    this.std = content.std;
  }

  toString(): string {
    const count = (n: number): string => n.toLocaleString("en-US");
    const held = this.validation === undefined ? "" : `, ${count(this.validation.size)} validation`;
    return (
      `${this.name}: ${count(this.train.size)} training${held} and ${count(this.test.size)} test images, ` +
      `${this.train.shape.join(" × ")}, ${this.classes.length} classes (${this.classes.join(", ")})`
    );
  }

  [jupyterDisplay](): Record<string, string> {
    return { "text/plain": this.toString() };
  }

  [nodeInspect](): string {
    return this.toString();
  }
}
