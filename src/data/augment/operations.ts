import type * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import type { Affine } from "./affine.js";
import {
  autoContrast,
  brighten,
  contrast,
  equalize,
  invert,
  posterize,
  saturate,
  sharpen,
  solarize,
  solarizeAdd,
} from "./levels.js";

/** Operations on levels, by timm's names; the numbers of those that take none are not looked at. */
export const levelOperations: Readonly<
  Record<LevelOperationName, (images: tf.Tensor4D, numbers: tf.Tensor4D) => tf.Tensor4D>
> = {
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert,
  Posterize: posterize,
  Solarize: solarize,
  SolarizeAdd: solarizeAdd,
  Color: saturate,
  Contrast: contrast,
  Brightness: brighten,
  Sharpness: sharpen,
};

type LevelOperationName =
  | "AutoContrast"
  | "Equalize"
  | "Invert"
  | "Posterize"
  | "Solarize"
  | "SolarizeAdd"
  | "Color"
  | "Contrast"
  | "Brightness"
  | "Sharpness";

/** One operation on one image: on its levels, or on its places. */
export type DrawnOperation =
  | { readonly name: LevelOperationName; readonly argument: number }
  | { readonly name: "move"; readonly matrix: Affine; readonly cubic: boolean };

/** Size of the images, and how places between pixels are read. */
interface Moving {
  readonly height: number;
  readonly width: number;
  readonly cubic: boolean;
}

/** What an operation does at a share of its range, 0 to 1; `negate` is one of x and −x. */
type Draw = (share: number, moving: Moving, negate: (x: number) => number) => DrawnOperation;

const onLevels =
  (name: LevelOperationName, argument: (share: number, negate: (x: number) => number) => number): Draw =>
  (share, _, negate) => ({ name, argument: argument(share, negate) });

const moved =
  (matrix: (amount: number, size: { height: number; width: number }) => Affine, range: number): Draw =>
  (share, { cubic, ...size }, negate) => ({
    name: "move",
    matrix: matrix(negate(range * share), size),
    cubic,
  });

const none = (): number => 0;

/** Away from 1, either way, and no nearer to 0 than a tenth. */
const enhancement = (share: number, negate: (x: number) => number): number =>
  Math.max(0.1, 1 + negate(0.9 * share));

/** timm's fifteen of the increasing variant, in its order. */
const draws: readonly Draw[] = [
  onLevels("AutoContrast", none),
  onLevels("Equalize", none),
  onLevels("Invert", none),
  moved((degrees, size) => rotation(degrees, size), 30),
  onLevels("Posterize", (share) => 2 ** (4 + Math.floor(4 * share))), // of 8 bits, 4 down to 0 stay
  onLevels("Solarize", (share) => 256 - Math.floor(256 * share)),
  onLevels("SolarizeAdd", (share) => Math.floor(110 * share)),
  onLevels("Color", enhancement),
  onLevels("Contrast", enhancement),
  onLevels("Brightness", enhancement),
  onLevels("Sharpness", enhancement),
  moved((shear) => [1, shear, 0, 0, 1, 0], 0.3),
  moved((shear) => [1, 0, 0, shear, 1, 0], 0.3),
  moved((part, { width }) => [1, 0, part * width, 0, 1, 0], 0.45),
  moved((part, { height }) => [1, 0, 0, 0, 1, part * height], 0.45),
];

/** @param magnitude 0 to 10 */
export function drawOperation(
  magnitude: number,
  moving: Moving,
  random: Pick<Random, "integer" | "uniform">,
): DrawnOperation {
  const draw = draws[random.integer(draws.length)];
  return draw(magnitude / 10, moving, (x) => (random.uniform() < 0.5 ? x : -x));
}

/** Anticlockwise about the middle of the image. */
function rotation(degrees: number, { height, width }: { height: number; width: number }): Affine {
  const angle = (-degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y];
}
