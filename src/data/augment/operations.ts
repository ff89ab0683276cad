import type * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import type { Affine } from "./affine.js";
import type { Interpolation } from "./interpolation.js";
import { autoContrast, contrast, equalize, saturate, sharpen } from "./levels.js";

/** Operations that look at the image, with a number for each image, which the first two do not need. */
export const imageOperations: Readonly<
  Record<ImageOperationName, (images: tf.Tensor4D, factors: tf.Tensor4D) => tf.Tensor4D>
> = {
  AutoContrast: autoContrast,
  Equalize: equalize,
  Color: saturate,
  Contrast: contrast,
  Sharpness: sharpen,
};

type ImageOperationName = "AutoContrast" | "Equalize" | "Color" | "Contrast" | "Sharpness";

/** One operation on one image: on each level by itself, on the image, or on places. */
export type DrawnOperation =
  | { readonly kind: "table"; readonly levelOf: (level: number) => number }
  | { readonly kind: ImageOperationName; readonly factor: number }
  | { readonly kind: "move"; readonly matrix: Affine; readonly interpolation: Interpolation };

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Images that may be moved, and how places between their pixels are read. */
interface Moving extends Size {
  readonly interpolation: Interpolation;
}

/** What an operation does at a share of its range, 0 to 1; `negate` gives one of x and −x. */
type Draw = (share: number, negate: (x: number) => number, moving: Moving) => DrawnOperation;

const highest = 255;

/** Away from 1, either way, and no nearer to 0 than a tenth. */
const enhancement = (share: number, negate: (x: number) => number): number =>
  Math.max(0.1, 1 + negate(0.9 * share));

const enhanced =
  (kind: ImageOperationName): Draw =>
  (share, negate) => ({ kind, factor: enhancement(share, negate) });

const moved =
  (range: number, matrix: (amount: number, size: Size) => Affine): Draw =>
  (share, negate, { interpolation, ...size }) => ({
    kind: "move",
    matrix: matrix(negate(range * share), size),
    interpolation,
  });

/** timm's fifteen of the increasing variant, in its order. */
const draws: readonly Draw[] = [
  () => ({ kind: "AutoContrast", factor: 0 }),
  () => ({ kind: "Equalize", factor: 0 }),
  () => ({ kind: "table", levelOf: (level) => highest - level }),
  moved(30, rotation),
  (share) => posterized(4 - Math.floor(4 * share)),
  (share) => solarized(256 - Math.floor(256 * share)),
  (share) => raised(Math.floor(110 * share)),
  enhanced("Color"),
  enhanced("Contrast"),
  (share, negate) => brightened(enhancement(share, negate)),
  enhanced("Sharpness"),
  moved(0.3, (shear) => [1, shear, 0, 0, 1, 0]),
  moved(0.3, (shear) => [1, 0, 0, shear, 1, 0]),
  moved(0.45, (part, { width }) => [1, 0, part * width, 0, 1, 0]),
  moved(0.45, (part, { height }) => [1, 0, 0, 0, 1, part * height]),
];

/** @param magnitude 0 to 10 */
export function drawOperation(
  magnitude: number,
  moving: Moving,
  random: Pick<Random, "integer" | "uniform">,
): DrawnOperation {
  const draw = draws[random.integer(draws.length)];
  return draw(magnitude / 10, (x) => (random.uniform() < 0.5 ? x : -x), moving);
}

/** Anticlockwise about the middle of the image. */
function rotation(degrees: number, { height, width }: Size): Affine {
  const angle = (-degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y];
}

/** Keeps that many of eight bits; none leave black. */
function posterized(bits: number): DrawnOperation {
  const step = 2 ** (8 - bits);
  return { kind: "table", levelOf: (level) => level - (level % step) };
}

/** Inverts levels from the threshold on. */
function solarized(threshold: number): DrawnOperation {
  return { kind: "table", levelOf: (level) => (level < threshold ? level : highest - level) };
}

/** Raises levels below 128. */
function raised(by: number): DrawnOperation {
  return { kind: "table", levelOf: (level) => (level < 128 ? Math.min(highest, level + by) : level) };
}

/** Away from black, or towards it; in float32, as Pillow. */
function brightened(factor: number): DrawnOperation {
  return {
    kind: "table",
    levelOf: (level) => Math.min(highest, Math.floor(Math.fround(Math.fround(factor) * level))),
  };
}
