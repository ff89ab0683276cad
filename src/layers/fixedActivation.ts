import * as tf from "@tensorflow/tfjs-core";
import type { ActivationName } from "../bases/activations.js";
import { unknownOption } from "../errors.js";
import { gelu } from "../ops/gelu.js";
import { Module } from "./module.js";
import { composedOutline, type LayerOutline } from "./outline.js";
import type { Scope } from "./scope.js";

/** A function that does not learn: any shape → the same shape. No parameters. Formulas: {@link activations}. */
export class FixedActivation extends Module {
  /** Which function it is. */
  readonly activation: ActivationName;

  /** @throws KatlabError `unknown` for a name that is not there */
  constructor(scope: Scope, activation: ActivationName) {
    super(scope);
    if (!Object.hasOwn(functions, activation)) {
      throw unknownOption("FixedActivation", activation, Object.keys(functions));
    }
    this.activation = activation;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return functions[this.activation](x);
  }

  override outline(input: readonly number[]): LayerOutline {
    const layer = `FixedActivation, ${this.activation}`;
    return composedOutline({ path: this.path, layer, output: input, layers: [] });
  }
}

const silu = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sigmoid(x));

const functions: Readonly<Record<ActivationName, (x: tf.Tensor) => tf.Tensor>> = {
  identity: (x) => tf.clone(x),
  relu: (x) => tf.relu(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.01),
  "leakyRelu0.1": (x) => tf.leakyRelu(x, 0.1),
  silu,
  gelu,
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
  geglu: (x) => tf.mul(x, gelu(x)),
  swiglu: (x) => tf.mul(x, silu(x)),
  erfcSoftplusSquared: (x) => tf.square(tf.sub(1, tf.erf(tf.softplus(x)))),
};
