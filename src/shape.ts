import { mustBe, mustHaveShape } from "./errors.js";

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

/** Sizes of something that lies in an image: one for both sides, or `[height, width]`. */
export type Sides = number | readonly [height: number, width: number];

/**
 * Height and width.
 *
 * @param subject who asks; starts the error message
 * @param name what the sizes are of: `"imageSize"`
 * @throws KatlabError `invalid` for what is no whole number ≥ 1, and no pair of them
 */
export function sidesOf(
  subject: string,
  name: string,
  sides: Sides,
): readonly [height: number, width: number] {
  const both: readonly number[] = typeof sides === "number" ? [sides, sides] : sides;
  if (Array.isArray(both) && both.length === 2 && both.every((side) => Number.isInteger(side) && side >= 1)) {
    return [both[0], both[1]];
  }
  throw mustBe({
    subject,
    must: `${name} must be a whole number ≥ 1, or a pair [height, width] of them`,
    got: JSON.stringify(sides),
    remedy: `Pass for example ${name}: 16, or ${name}: [16, 8].`,
  });
}
