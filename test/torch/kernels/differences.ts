import { onTorch, type Inputs, type Plain } from "./kernelRun.js";

/**
 * Σ dy · ∂f/∂(input) by central differences in float64, for a tfjs kernel with one real result.
 *
 * @param name the input to differentiate by
 * @param step exact for functions that are linear or at most quadratic
 */
export function differences(
  kernelName: string,
  inputs: Readonly<Record<string, Plain>>,
  attrs: object,
  name: string,
  dy: Plain,
  step: number = 2 ** -20,
): Plain {
  const input = inputs[name];
  const at = (i: number, by: number): number => {
    const values = input.values.map((value, j) => (j === i ? value + by : value));
    const moved: Inputs = { ...inputs, [name]: { ...input, values } };
    const [result] = onTorch(kernelName, moved, attrs, "float64");
    return result.values.reduce((sum, value, j) => sum + value * dy.values[j], 0);
  };
  return { ...input, values: input.values.map((_, i) => (at(i, step) - at(i, -step)) / (2 * step)) };
}
