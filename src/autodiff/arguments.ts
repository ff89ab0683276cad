import * as tf from "@tensorflow/tfjs-core";
import { mustBe, mustHaveShape } from "../errors.js";

let inside = false;

/**
 * Runs a derivative, which must not be asked for inside another one's function: tfjs's tape would give a wrong number, and
 * torch's graph would not know of it.
 *
 * @throws KatlabError `invalid` inside another derivative or `tf.grad`
 */
export function outermost<Result>(subject: string, run: () => Result): Result {
  if (inside || tf.engine().state.gradientDepth > 0) {
    throw mustBe({
      subject,
      must: "calls must not be nested",
      got: "a call inside the function of another derivative",
      remedy: "Take the inner one before; a second derivative is what hessianVectorProduct is for.",
    });
  }
  inside = true;
  try {
    return run();
  } finally {
    inside = false;
  }
}

/** `f` with a result of its own, which may be disposed whatever `f` returns; it must be a scalar. */
export function scalarOf(subject: string, f: () => tf.Scalar): () => tf.Scalar {
  return () => {
    const value = f();
    if (value.rank !== 0) throw mustHaveShape(`${subject}: the value of f`, [], value.shape);
    return tf.clone<tf.Scalar>(value);
  };
}

/** @throws KatlabError `invalid` unless variables are float32 and each is there once */
export function mustBeDistinctReals(subject: string, variables: readonly tf.Variable[]): void {
  const seen = new Set<tf.Variable>();
  for (const variable of variables) {
    if (variable.dtype !== "float32") {
      throw mustBe({
        subject,
        must: "variables must be float32",
        got: `${variable.dtype} (${variable.name})`,
        remedy: "Leave it out: only reals have derivatives.",
      });
    }
    if (seen.has(variable)) {
      throw mustBe({
        subject,
        must: "each variable must be there once",
        got: `${variable.name} twice`,
        remedy: "A direction moves a variable in one way only.",
      });
    }
    seen.add(variable);
  }
}

/** @throws KatlabError `invalid`, `shape` unless there is one float32 vector of its shape for every variable */
export function mustMatch(
  subject: string,
  vectors: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
): void {
  if (vectors.length !== variables.length) {
    throw mustBe({
      subject,
      must: `there must be one vector per variable (${variables.length})`,
      got: String(vectors.length),
      remedy: "Give zeros for variables that stay as they are.",
    });
  }
  vectors.forEach(({ shape, dtype }, i) => {
    if (!tf.util.arraysEqual(shape, variables[i].shape)) {
      throw mustHaveShape(`${subject}: vectors[${i}]`, variables[i].shape, shape);
    }
    if (dtype === "float32") return;
    throw mustBe({
      subject: `${subject}: vectors[${i}]`,
      must: "dtype must be float32",
      got: dtype,
      remedy: 'Convert it with tf.cast(x, "float32").',
    });
  });
}
