import { mustHaveShape } from "./errors.js";

/** An axis that must have this size (number), or any size under this name (string). */
export type Axis = string | number;

/**
 * Checks a shape against named axes and returns the sizes bound to the names.
 * The same name must have the same size wherever it appears.
 *
 * @param subject who asks; starts the error message
 * @param shape the shape that came
 * @param axes for example `["batch", "tokens", 64]`
 * @throws KatlabError `shape` when rank or a size differs
 */
export function assertShape(
  subject: string,
  shape: readonly number[],
  axes: readonly Axis[],
): Record<string, number> {
  const sizes: Record<string, number> = {};
  const fits =
    shape.length === axes.length &&
    axes.every((axis, i) => {
      if (typeof axis === "number") return axis === shape[i];
      sizes[axis] ??= shape[i];
      return sizes[axis] === shape[i];
    });
  if (!fits) throw mustHaveShape(subject, axes, shape);
  return sizes;
}

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, d) => size * d, 1);
}
