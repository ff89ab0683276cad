import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { noise } from "./noise.js";
import { type Rectangle, rectangleMask } from "./rectangle.js";
import { changeSome } from "./someImages.js";

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
  const erased = Array.from({ length: batch }, () =>
    random.uniform() < probability ? erasedPart(height, width, random) : undefined,
  ).flatMap((rectangle, index) => (rectangle === undefined ? [] : [{ index, rectangle }]));
  const rectangles = erased.map(({ rectangle }) => rectangle);
  const apply = (whole: tf.Tensor4D): tf.Tensor4D => {
    const replacing = noise(rectangles.length, [height, width * channels], random);
    const mask = rectangleMask(rectangles, [height, width, channels]);
    return tf.add(tf.mul(whole, tf.sub(1, mask)), tf.mul(tf.reshape(replacing, whole.shape), mask));
  };
  return changeSome(images, [{ indices: erased.map(({ index }) => index), apply }]);
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
