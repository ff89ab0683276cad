import { mustHaveEngine } from "../engine.js";
import { LeakReport } from "./leakReport.js";
import { TensorWatch } from "./tensorWatch.js";

/**
 * Runs `f` and reports every tensor that it made, did not dispose and did not return, by what made it and where. Works on
 * every engine; a program that never calls it pays nothing.
 *
 * ```ts
 * const { value, leaks } = await kl.findLeaks(async () => kl.train(model, data));
 * ```
 *
 * Variables that `f` makes and tensors kept by `tf.keep` are reported too, and so are tensors that were garbage collected
 * undisposed. While an async `f` waits, tensors of the rest of the program are taken for its own. Each tensor made inside
 * `f` costs some microseconds more, for its stack.
 *
 * @param f any function; what it throws is thrown on
 * @throws KatlabError `invalid` when no engine has been chosen
 */
export function findLeaks<T>(f: () => Promise<T>): Promise<LeakReport<T>>;
export function findLeaks<T>(f: () => T): LeakReport<T>;
export function findLeaks<T>(f: () => T | Promise<T>): LeakReport<T> | Promise<LeakReport<T>> {
  mustHaveEngine("findLeaks");
  const watch = new TensorWatch();
  let result: T | Promise<T>;
  try {
    result = f();
  } catch (error) {
    watch.end();
    throw error;
  }
  if (result instanceof Promise) {
    return result.then((value) => new LeakReport(value, watch.left(value))).finally(() => watch.end());
  }
  const report = new LeakReport(result, watch.left(result));
  watch.end();
  return report;
}
