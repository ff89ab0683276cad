import * as tf from "@tensorflow/tfjs-core";

/** Runs `f` with other values behind variables. However it ends, they then have their own again, bit for bit. */
export function withValues<Result>(
  variables: readonly tf.Variable[],
  values: readonly tf.Tensor[],
  f: () => Result,
): Result {
  const own = variables.map((variable) => tf.clone(variable));
  try {
    variables.forEach((variable, i) => {
      variable.assign(values[i]);
    });
    return f();
  } finally {
    variables.forEach((variable, i) => {
      variable.assign(own[i]);
      own[i].dispose();
    });
  }
}
