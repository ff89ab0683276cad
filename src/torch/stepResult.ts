import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";

/** What a compiled step returns: a tensor, a list or a record of tensors. */
export type StepResult = tf.Tensor | readonly tf.Tensor[] | Readonly<Record<string, tf.Tensor>>;

/** Something for each tensor of a result. */
export type PerResult<Item> = Item | readonly Item[] | Readonly<Record<string, Item>>;

/** Something else for each. */
export function mapResult<From extends tf.Tensor | number, To>(
  result: PerResult<From>,
  map: (item: From) => To,
): PerResult<To> {
  if (result instanceof tf.Tensor || typeof result === "number") return map(result as From);
  if (Array.isArray(result)) return (result as readonly From[]).map(map);
  return Object.fromEntries(
    Object.entries(result as Record<string, From>).map(([name, item]) => [name, map(item)]),
  );
}

/** @throws KatlabError `invalid` for what a step must not return */
export function mustBeResult(result: unknown): void {
  const isTensor = (item: unknown): boolean => item instanceof tf.Tensor;
  const isContainer = typeof result === "object" && result !== null && !tf.util.isPromise(result);
  if (isTensor(result) || (isContainer && Object.values(result).every(isTensor))) return;
  throw mustBe({
    subject: "compileStep",
    must: "a step must return a tensor, a list or a record of tensors",
    got: tf.util.isPromise(result) ? "a promise" : typeof result,
    remedy: "Wait and read values after it.",
  });
}

/** Tensors that are made from now on have this id or a greater one. */
export function nextTensorId(): number {
  return tf.tidy(() => tf.scalar(0).id);
}
