import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { adjustHue } from "./hue.js";
import { changeSome, perImage } from "./someImages.js";

/** What colour jitter changes. */
export type ColorChange = "brightness" | "contrast" | "saturation" | "hue";

/** One change to one image: a factor, or of the hue a shift in turns. */
export interface DrawnColor {
  readonly change: ColorChange;
  readonly amount: number;
}

/** torchvision's weights of a grey level. */
const luma = [0.2989, 0.587, 0.114];

const changes: readonly ColorChange[] = ["brightness", "contrast", "saturation", "hue"];

/**
 * What is done to each image: the changes that are asked for, in an order of its own, each by an amount of its own:
 * a factor in [max(0, 1 − strength), 1 + strength], a shift of the hue in [−strength, strength].
 */
export function drawColors(
  batch: number,
  strengths: Readonly<Record<ColorChange, number>>,
  random: Random,
): DrawnColor[][] {
  const present = changes.filter((change) => strengths[change] > 0);
  return Array.from({ length: batch }, () =>
    Array.from(random.permutation(present.length), (place) => {
      const change = present[place];
      const strength = strengths[change];
      const low = change === "hue" ? -strength : Math.max(0, 1 - strength);
      const high = change === "hue" ? strength : 1 + strength;
      return { change, amount: low + random.uniform() * (high - low) };
    }),
  );
}

/**
 * torchvision's ColorJitter of float images, whose white is 255 here, each image with its own changes in its own order, a
 * whole batch at once. Brightness, contrast and saturation are one formula with three greys, clipped to 0…255 after each:
 *
 *     x ← factor · x + (1 − factor) · (0 | mean of the grey image | the grey image)
 *
 * @param images `[batch, height, width, 1 or 3]`, levels 0…255
 * @param drawn for each image as many changes
 */
export function colorJitter(images: tf.Tensor4D, drawn: readonly (readonly DrawnColor[])[]): tf.Tensor4D {
  const steps = drawn[0]?.length ?? 0;
  const [batch, height, width, channels] = images.shape;
  return tf.tidy(() => {
    // Channel by channel, stored so: greys are then added to long rows, not to three numbers at a time.
    const planes = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [batch * channels, height * width]);
    let changed: tf.Tensor4D = tf.reshape(planes, [batch, channels, height, width]);
    for (let step = 0; step < steps; step++) {
      const own = drawn.map((changes) => changes[step]);
      changed = jitterStep(changed, own);
    }
    return tf.transpose(changed, [0, 2, 3, 1]);
  });
}

/** @param planes `[batch, channels, height, width]` */
function jitterStep(planes: tf.Tensor4D, drawn: readonly DrawnColor[]): tf.Tensor4D {
  const shareOf = (change: ColorChange): tf.Tensor4D =>
    perImage(drawn.map((own) => (own.change === change ? 1 - own.amount : 0)));
  const isGrey = planes.shape[1] === 1;
  return tf.tidy(() => {
    const factors = perImage(drawn.map(({ change, amount }) => (change === "hue" ? 1 : amount)));
    const grey = isGrey ? planes : tf.sum(tf.mul(planes, tf.tensor3d(luma, [3, 1, 1])), 1, true);
    const mean = tf.mean(grey, [2, 3], true);
    const other = tf.add(tf.mul(grey, shareOf("saturation")), tf.mul(mean, shareOf("contrast")));
    const blended = tf.clipByValue<tf.Tensor4D>(tf.add(tf.mul(planes, factors), other), 0, 255);
    if (isGrey) return blended;
    const indices = drawn.flatMap(({ change }, image) => (change === "hue" ? [image] : []));
    const shifts = indices.map((image) => drawn[image].amount);
    return changeSome(blended, [{ indices, apply: (part) => adjustHue(part, perImage(shifts)) }]);
  });
}
