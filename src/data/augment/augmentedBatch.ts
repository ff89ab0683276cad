import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../../errors.js";
import type { Random } from "../../random.js";
import type { Split } from "../dataset.js";
import { colorJitter, drawColors } from "./colorJitter.js";
import { cropAndFlip } from "./cropAndFlip.js";
import { erase } from "./erase.js";
import { mix } from "./mix.js";
import { inLevels, type Normalisation } from "./normalisation.js";
import { drawOperations, randAugment } from "./randAugment.js";
import { drawCrops, resizedCrop } from "./resizedCrop.js";
import type { AugmentationSettings } from "./settings.js";

/** What a training step takes. */
export interface AugmentedBatch {
  /** `[batch, height, width, channels]`, normalised. */
  readonly images: tf.Tensor4D;
  /** `[batch]` int32; `[batch, classes]` float32, each row a distribution, where images are mixed. */
  readonly labels: tf.Tensor1D | tf.Tensor2D;
}

/** What a batch is varied by, beside the settings. */
export interface AugmentedBatchOptions extends Partial<Normalisation> {
  /** Number of classes of the data. */
  readonly classes: number;
  /** Where to draw from: the same stream gives the same batch. */
  readonly random: Random;
}

/**
 * Images and labels of a split, varied, in this order: cut (padded, then resized) and mirrored, RandAugment, colour jitter, partly
 * erased, mixed; timm's order. What is random is drawn on the host, pixels are worked on the device, a whole batch at once;
 * nothing is read back.
 *
 * @param indices the images, as for `split.batch`
 * @param options classes of the data, where to draw from, and for resized crops, colours and RandAugment the `mean` and `std`
 *   of the dataset, which images are normalised by
 * @returns tensors of the caller's
 * @throws KatlabError `invalid` for an index outside the split, where `mean` and `std` are needed and missing or not the split's,
 *   and for colours or RandAugment of images that are neither grey nor RGB
 */
export function augmentedBatch(
  split: Split,
  indices: ArrayLike<number>,
  settings: AugmentationSettings,
  options: AugmentedBatchOptions,
): AugmentedBatch {
  const { flip, cropPadding, cropScale, erasing, mixup, cutmix } = settings;
  const { classes, random } = options;
  return tf.tidy(() => {
    const batch = split.batch(indices);
    let { images } = batch;
    const plainFlip = cropScale === null ? flip : 0;
    if (plainFlip > 0 || cropPadding > 0) {
      const place = random.split("cropAndFlip");
      images = cropAndFlip(images, { padding: cropPadding, flip: plainFlip }, split.black, place);
    }
    images = changePixels(images, split.black, settings, options);
    if (erasing > 0) images = erase(images, erasing, random.split("erase"));
    if (mixup === 0 && cutmix === 0) return { images, labels: batch.labels };
    return { ...mix(images, batch.labels, settings, { classes, random: random.split("mix") }) };
  });
}

/** What works on levels, if it is asked for. */
function changePixels(
  images: tf.Tensor4D,
  black: readonly number[],
  settings: AugmentationSettings,
  { random, mean, std }: AugmentedBatchOptions,
): tf.Tensor4D {
  const { cropScale, cropRatio, flip, interpolation, randAugment: magnitude } = settings;
  const { brightness, contrast, saturation, hue } = settings;
  const colours = [brightness, contrast, saturation, hue].some((strength) => strength > 0);
  const isAsked = cropScale !== null || magnitude !== null || colours;
  if (!isAsked || images.shape[0] === 0) return images;
  if (mean === undefined || std === undefined) {
    throw mustBe({
      subject: "augmentedBatch",
      must: "resized crops, colours and RandAugment need what images are normalised by",
      got: "no mean and std",
      remedy: "Pass the dataset's: { classes, random, mean: data.mean, std: data.std }.",
    });
  }
  const { shape } = images;
  mustFit(black, { mean, std });
  if (magnitude !== null || colours) mustBeGreyOrRgb(shape[3]);
  return inLevels(images, { mean, std }, (own) => {
    let levels = own;
    if (cropScale !== null) {
      const ranges = { scale: cropScale, ratio: cropRatio };
      const crops = drawCrops(shape, { ranges, flip, interpolation }, random.split("resizedCrop"));
      levels = resizedCrop(levels, crops);
    }
    if (magnitude !== null) {
      const drawn = drawOperations(shape, settings, random.split("randAugment"));
      const fill = mean.map((value) => Math.min(255, Math.round(255 * value)));
      levels = randAugment(levels, drawn, fill);
    }
    if (!colours) return levels;
    const strengths = { brightness, contrast, saturation, hue };
    return colorJitter(levels, drawColors(shape[0], strengths, random.split("colorJitter")));
  });
}

/** A black pixel tells what images were normalised by, but for one number. */
function mustFit(black: readonly number[], { mean, std }: Normalisation): void {
  const own = mean.map((value, channel) => -value / std[channel]);
  const fits = own.length === black.length && own.every((value, c) => Math.abs(value - black[c]) <= 1e-3);
  if (fits) return;
  throw mustBe({
    subject: "augmentedBatch",
    must: `mean and std must be those that the images are normalised by, which make black [${black.join(", ")}]`,
    got: `black [${own.join(", ")}]`,
    remedy: "Pass the dataset's: { classes, random, mean: data.mean, std: data.std }.",
  });
}

function mustBeGreyOrRgb(channels: number): void {
  if (channels === 1 || channels === 3) return;
  throw mustBe({
    subject: "augmentedBatch",
    must: "colours and RandAugment need images of 1 or 3 channels",
    got: String(channels),
    remedy: "Leave them out of the augmentation.",
  });
}
