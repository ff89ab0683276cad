import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { type Rectangle, rectangleMask } from "./rectangle.js";

/** Share of the image that is erased, and the range of height to width: timm's, and the paper's. */
const areas = [0.02, 1 / 3] as const;
const ratios = [0.3, 1 / 0.3] as const;
const attempts = 10;

/**
 * Random erasing: replaces a rectangle of some images by standard normal noise, one number for each pixel and channel.
 * `images` are normalised, so that noise is what pixels are like.
 *
 * A rectangle has 2 % to a third of the image and a height of 0.3 to 3.3 times its width, in timm's "pixel" mode. An image
 * for which ten draws do not fit stays whole.
 *
 * Source: Zhong et al., "Random Erasing Data Augmentation", 2020.
 */
export function erase(images: tf.Tensor4D, probability: number, random: Random): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape;
  const rectangles = Array.from({ length: batch }, () =>
    random.uniform() < probability ? erasedPart(height, width, random) : undefined,
  );
  if (rectangles.every((rectangle) => rectangle === undefined)) return tf.clone(images);
  return tf.tidy(() => {
    const mask = rectangleMask(rectangles, height, width);
    const noise = new Float32Array(batch * height * width * channels);
    rectangles.forEach((rectangle, image) => {
      if (rectangle === undefined) return;
      for (let y = rectangle.top; y < rectangle.bottom; y++) {
        const row = (image * height + y) * width;
        const [from, to] = [(row + rectangle.left) * channels, (row + rectangle.right) * channels];
        for (let i = from; i < to; i++) noise[i] = random.normal();
      }
    });
    return tf.add(tf.mul(images, tf.sub(1, mask)), tf.tensor4d(noise, images.shape));
  });
}

function erasedPart(height: number, width: number, random: Random): Rectangle | undefined {
  for (let i = 0; i < attempts; i++) {
    const area = height * width * (areas[0] + random.uniform() * (areas[1] - areas[0]));
    const ratio = Math.exp(
      Math.log(ratios[0]) + random.uniform() * (Math.log(ratios[1]) - Math.log(ratios[0])),
    );
    const [h, w] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (h < 1 || w < 1 || h >= height || w >= width) continue;
    const [top, left] = [random.integer(height - h + 1), random.integer(width - w + 1)];
    return { top, left, bottom: top + h, right: left + w };
  }
  return undefined;
}
