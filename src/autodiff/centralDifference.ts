import * as tf from "@tensorflow/tfjs-core";
import { withValues } from "../torch/withValues.js";

/** How well finite differences agree with themselves; all are about 1e-3 or less where float32 serves a function well. */
export interface DifferenceCheck {
  /** Length of the longer of two steps: norm of what was added to all variables together. The other is half as long. */
  readonly step: number;
  /** Estimated error of the result, relative to its norm: how far the two steps are apart. */
  readonly relativeError: number;
  /** |uᵀ(H·v) − vᵀ(H·u)|, relative to the largest it can be; of Hessian products only, for which it is 0. */
  readonly asymmetry: number | null;
}

/** ε^⅓ of float32, where what a step cuts off the Taylor series is about what rounding loses. */
const relativeStep = Math.cbrt(2 ** -23);

/** Beyond this, differences are no longer called a derivative without a warning. */
const tolerance = 0.02;

/** A directional derivative and its check. */
export interface Difference {
  /** The derivative of each result. */
  readonly derivatives: tf.Tensor[];
  /** As {@link DifferenceCheck} has it. */
  readonly step: number;
  /** As {@link DifferenceCheck} has it. */
  readonly relativeError: number;
}

/**
 * The derivative of `evaluate` along vectors, from its values at the point ± h·v and ± h/2·v:
 *
 *     D(h) = (F(θ + h·v) − F(θ − h·v)) / 2h        result (4·D(h/2) − D(h)) / 3        h = ε^⅓·(1 + ‖θ‖)/‖v‖
 *
 * The error is of fourth order in h; the estimate ‖D(h/2) − D(h)‖ is that of a result of second order.
 *
 * @param evaluate computes from the variables what is differentiated; the same every time
 * @param likes tensors of the shapes of its results
 * @returns tensors the caller disposes; the variables are as before, also when `evaluate` throws
 * Cost: four evaluations.
 */
export function centralDifference(
  evaluate: () => tf.Tensor[],
  variables: readonly tf.Variable[],
  point: readonly tf.Tensor[],
  vectors: readonly tf.Tensor[],
  likes: readonly tf.Tensor[],
): Difference {
  return tf.tidy((): Difference & tf.TensorContainerObject => {
    const length = norm(vectors);
    if (length === 0)
      return { derivatives: likes.map((like) => tf.zerosLike(like)), step: 0, relativeError: 0 };
    const step = relativeStep * (1 + norm(point));
    const [long, short] = [step, step / 2].map((distance) =>
      slope(evaluate, variables, point, vectors, distance / length),
    );
    const apart = short.map((s, i) => tf.sub(s, long[i]));
    const derivatives = short.map((s, i) => tf.add(s, tf.div(apart[i], 3)));
    return { derivatives, step, relativeError: ratio(norm(apart), norm(derivatives)) };
  });
}

/** D(h) of {@link centralDifference}: two evaluations. */
export function slope(
  evaluate: () => tf.Tensor[],
  variables: readonly tf.Variable[],
  point: readonly tf.Tensor[],
  vectors: readonly tf.Tensor[],
  h: number,
): tf.Tensor[] {
  return tf.tidy(() => {
    const [above, below] = [h, -h].map((signed) => {
      const moved = point.map((x, i) => tf.add(x, tf.mul(vectors[i], signed)));
      return withValues(variables, moved, evaluate);
    });
    return above.map((value, i) => tf.div(tf.sub(value, below[i]), 2 * h));
  });
}

/** Says in the console when differences do not agree with themselves, and returns whether it had to. */
export function warnOfDisagreement(
  subject: string,
  { step, relativeError, asymmetry }: DifferenceCheck,
): boolean {
  if (relativeError <= tolerance && (asymmetry ?? 0) <= tolerance) return false;
  const symmetry = asymmetry === null ? "" : `, asymmetry ${percent(asymmetry)}`;
  console.warn(
    `katlab: ${subject}: finite differences with a step of ${step.toPrecision(2)} disagree ` +
      `(estimated error ${percent(relativeError)}${symmetry}): the function bends or rounds too much at this point, or has a kink. ` +
      "The torch engine computes it exactly.",
  );
  return true;
}

/** √Σx² over all tensors. */
export function norm(tensors: readonly tf.Tensor[]): number {
  return Math.sqrt(dot(tensors, tensors));
}

/** Σ a·b over all pairs of tensors. */
export function dot(a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number {
  return tf.tidy(() => a.reduce((sum, x, i) => sum + tf.sum(tf.mul(x, b[i])).dataSync()[0], 0));
}

/** part / whole, where nothing of nothing is 0. */
export function ratio(part: number, whole: number): number {
  return part === 0 ? 0 : part / whole;
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
