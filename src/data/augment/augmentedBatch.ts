import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import type { Split } from "../dataset.js";
import { cropAndFlip } from "./cropAndFlip.js";
import { erase } from "./erase.js";
import { mix } from "./mix.js";
import type { AugmentationSettings } from "./settings.js";

/** What a training step takes. */
export interface AugmentedBatch {
  /** `[batch, height, width, channels]`, normalised. */
  readonly images: tf.Tensor4D;
  /** `[batch]` int32; `[batch, classes]` float32, each row a distribution, where images are mixed. */
  readonly labels: tf.Tensor1D | tf.Tensor2D;
}

/**
 * Images and labels of a split, varied: cut and mirrored, then partly erased, then mixed. What is random is drawn on the host,
 * pixels are worked on the device, a whole batch at once.
 *
 * @param indices the images, as for `split.batch`
 * @param options classes of the data, and where to draw from: the same stream gives the same batch
 * @returns tensors of the caller's
 * @throws KatlabError `invalid` for an index outside the split
 */
export function augmentedBatch(
  split: Split,
  indices: ArrayLike<number>,
  settings: AugmentationSettings,
  { classes, random }: { readonly classes: number; readonly random: Random },
): AugmentedBatch {
  const { flip, cropPadding, erasing, mixup, cutmix } = settings;
  return tf.tidy(() => {
    const batch = split.batch(indices);
    let { images } = batch;
    if (flip > 0 || cropPadding > 0) {
      const place = random.split("cropAndFlip");
      images = cropAndFlip(images, { padding: cropPadding, flip }, split.black, place);
    }
    if (erasing > 0) images = erase(images, erasing, random.split("erase"));
    if (mixup === 0 && cutmix === 0) return { images, labels: batch.labels };
    return { ...mix(images, batch.labels, settings, { classes, random: random.split("mix") }) };
  });
}
