import type { Random } from "../../random.js";

/** Which interpolation; "random" draws one of both for each image. */
export type InterpolationName = "bilinear" | "bicubic" | "random";

/** Whether one image is interpolated by a cubic. */
export function drawCubic(name: InterpolationName, random: Pick<Random, "uniform">): boolean {
  return name === "random" ? random.uniform() < 0.5 : name === "bicubic";
}

/**
 * How values between pixels are made: the pixel at `first` from the one at or before the place, and those after it, each
 * weighed by a polynomial in t, the place's distance from that pixel, in [0, 1); coefficients of 1, t, t², t³.
 */
export interface Interpolation {
  readonly first: number;
  readonly weights: readonly (readonly [number, number, number, number])[];
}

/** Of the two neighbours. */
export const linear: Interpolation = {
  first: 0,
  weights: [
    [1, -1, 0, 0],
    [0, 1, 0, 0],
  ],
};

/** Keys' cubic convolution with parameter a: through the two neighbours, with −a times the differences around as slopes. */
function cubic(a: number): Interpolation {
  return {
    first: -1,
    weights: [
      [0, a, -2 * a, a],
      [1, 0, -a - 3, a + 2],
      [0, -a, 2 * a + 3, -a - 2],
      [0, 0, a, -a],
    ],
  };
}

/** Pillow's for resizing, a = −1/2; torch's and torchvision's with antialias. */
export const resizingCubic: Interpolation = cubic(-0.5);

/** Pillow's for turning and shearing, a = −1. */
export const turningCubic: Interpolation = cubic(-1);
