import type * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";
import { dropPath } from "../ops/dropPath.js";
import { type ForwardOptions, Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";
import { trainingRandom } from "./trainingRandom.js";

/** Stochastic depth: in training, drops whole samples of a residual branch. Any shape → the same shape. */
export class DropPath extends Module {
  /** Probability of dropping a sample, in [0, 1). */
  readonly rate: number;

  /** @throws KatlabError `invalid` for a rate out of range */
  constructor(scope: Scope, rate: number) {
    super(scope);
    if (!(rate >= 0 && rate < 1)) {
      throw mustBe({
        subject: "dropPath",
        must: "the rate must be in [0, 1)",
        got: String(rate),
        remedy: "0.1 is usual, 0 is none.",
      });
    }
    this.rate = rate;
  }

  protected override compute(x: tf.Tensor, options: ForwardOptions): tf.Tensor {
    if (options.training !== true || this.rate === 0) return x;
    return dropPath(x, this.rate, trainingRandom(this.path || "DropPath", "drop path", options));
  }

  override outline(input: readonly number[]): LayerOutline {
    return composedOutline({ path: this.path, layer: "DropPath", output: input, layers: [] });
  }
}
