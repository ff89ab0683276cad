import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { type Rectangle, rectangleMask } from "./rectangle.js";
import type { AugmentationSettings } from "./settings.js";

/** Images and how much of each class is in them. */
export interface MixedBatch {
  /** `[batch, height, width, channels]` */
  readonly images: tf.Tensor4D;
  /** `[batch, classes]`, each row a distribution. */
  readonly labels: tf.Tensor2D;
}

/**
 * Mixup or cutmix of a batch with itself in reverse order, by one λ for the batch, as timm does in its "batch" mode:
 *
 *     mixup:  x ← λ·x + (1 − λ)·reverse(x)        cutmix:  a rectangle of share 1 − λ comes from reverse(x)
 *     labels: λ·p + (1 − λ)·reverse(p)            λ ~ Beta(α, α); of cutmix the share that the rectangle really leaves
 *
 * @param images `[batch, height, width, channels]`
 * @param labels `[batch]` int32
 * @returns tensors of the caller's
 * Source: Zhang et al., "mixup", 2018; Yun et al., "CutMix", 2019.
 */
export function mix(
  images: tf.Tensor4D,
  labels: tf.Tensor1D,
  { mixup, cutmix, switchProbability }: AugmentationSettings,
  { classes, random }: { classes: number; random: Random },
): MixedBatch {
  const [, height, width, channels] = images.shape;
  const cuts = cutmix > 0 && (mixup === 0 || random.uniform() < switchProbability);
  const drawn = random.beta(cuts ? cutmix : mixup);
  const part = cuts ? cutPart(height, width, drawn, random) : undefined;
  const kept = part === undefined ? drawn : 1 - areaOf(part) / (height * width);
  return tf.tidy(() => {
    const own = tf.oneHot(labels, classes, 1, 0, "float32") as tf.Tensor2D;
    const share = part === undefined ? tf.scalar(1 - kept) : rectangleMask([part], [height, width, channels]);
    return {
      images: blend(images, share),
      labels: blend(own, tf.scalar(1 - kept)),
    };
  });
}

/** x + share·(reverse(x) − x) */
function blend<T extends tf.Tensor>(x: T, share: tf.Tensor): T {
  return tf.add(x, tf.mul(share, tf.sub(tf.reverse(x, 0), x)));
}

/** A rectangle of the image's form and share 1 − λ around a random point, cut off at the image's edges. */
function cutPart(height: number, width: number, kept: number, random: Random): Rectangle {
  const scale = Math.sqrt(1 - kept);
  const [h, w] = [Math.floor(height * scale), Math.floor(width * scale)];
  const [y, x] = [random.integer(height), random.integer(width)];
  return {
    top: Math.max(0, y - Math.floor(h / 2)),
    left: Math.max(0, x - Math.floor(w / 2)),
    bottom: Math.min(height, y + Math.floor(h / 2)),
    right: Math.min(width, x + Math.floor(w / 2)),
  };
}

function areaOf({ top, left, bottom, right }: Rectangle): number {
  return (bottom - top) * (right - left);
}
