import type { Random } from "../../random.js";

/** A part of an image, in pixels. */
export interface CropBox {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Ranges, each from its lower to its upper end. */
export interface CropRanges {
  /** Share of the image's area. */
  readonly scale: readonly [number, number];
  /** Width to height. */
  readonly ratio: readonly [number, number];
}

const attempts = 10;

/**
 * The box of torchvision's RandomResizedCrop, and timm's: a share of the area drawn evenly, a ratio of width to height whose
 * logarithm is, anywhere in the image. After ten boxes that do not fit, the largest one in the middle whose ratio is in the
 * range.
 */
export function drawCropBox(
  height: number,
  width: number,
  { scale, ratio }: CropRanges,
  random: Random,
): CropBox {
  for (let i = 0; i < attempts; i++) {
    const area = height * width * between(scale, random);
    const aspect = Math.exp(between([Math.log(ratio[0]), Math.log(ratio[1])], random));
    const [h, w] = [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))];
    if (h < 1 || w < 1 || h > height || w > width) continue;
    return {
      top: random.integer(height - h + 1),
      left: random.integer(width - w + 1),
      height: h,
      width: w,
    };
  }
  const own = width / height;
  const h = own < ratio[0] ? Math.round(width / ratio[0]) : height;
  const w = own > ratio[1] ? Math.round(height * ratio[1]) : width;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

function between([low, high]: readonly [number, number], random: Random): number {
  return low + random.uniform() * (high - low);
}
