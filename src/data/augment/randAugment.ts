import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { affine } from "./affine.js";
import { linear, turningCubic } from "./interpolation.js";
import { type DrawnOperation, drawOperation, levelOperations } from "./operations.js";
import type { AugmentationSettings } from "./settings.js";
import { changeSome, type ImageGroup, perImage } from "./someImages.js";

/** For each layer what is done to each image, if anything. */
export function drawOperations(
  [batch, height, width]: readonly number[],
  settings: AugmentationSettings,
  random: Random,
): (DrawnOperation | undefined)[][] {
  const { randAugment: magnitude, interpolation } = settings;
  return Array.from({ length: settings.randAugmentLayers }, () =>
    Array.from({ length: batch }, () => {
      if (random.uniform() >= settings.randAugmentProbability) return undefined;
      const drawn = Math.min(10, Math.max(0, (magnitude ?? 0) + settings.randAugmentStd * random.normal()));
      const cubic = interpolation === "random" ? random.uniform() < 0.5 : interpolation === "bicubic";
      return drawOperation(drawn, { height, width, cubic }, random);
    }),
  );
}

/**
 * RandAugment as timm has it, in its increasing variant: each layer does one of fifteen operations to each image, or nothing.
 * Images of one layer that get the same operation are worked on together.
 *
 * @param images `[batch, height, width, 1 or 3]`, 0…1; worked on, and returned, as whole levels of 255, as timm works on bytes
 * @param fill 0…1 by channel, what comes from outside an image
 * Source: Cubuk et al., "RandAugment", 2019; timm's auto_augment.py.
 */
export function randAugment(
  images: tf.Tensor4D,
  layers: readonly (readonly (DrawnOperation | undefined)[])[],
  fill: readonly number[],
): tf.Tensor4D {
  const fillLevels = fill.map((value) => Math.min(255, Math.round(255 * value)));
  return tf.tidy(() => {
    let levels: tf.Tensor4D = tf.round(tf.mul<tf.Tensor4D>(images, 255));
    for (const drawn of layers) levels = changeSome(levels, groupsOf(drawn, fillLevels));
    return tf.div(levels, 255);
  });
}

function groupsOf(drawn: readonly (DrawnOperation | undefined)[], fill: readonly number[]): ImageGroup[] {
  const ofLevels = Object.entries(levelOperations).map(([name, apply]): ImageGroup => {
    const own = drawn.flatMap((operation, index) =>
      operation !== undefined && operation.name !== "move" && operation.name === name
        ? [{ index, argument: operation.argument }]
        : [],
    );
    return {
      indices: own.map(({ index }) => index),
      apply: (images) => apply(images, perImage(own.map(({ argument }) => argument))),
    };
  });
  const moves = [linear, turningCubic].map((interpolation): ImageGroup => {
    const own = drawn.flatMap((operation, index) =>
      operation?.name === "move" && operation.cubic === (interpolation === turningCubic)
        ? [{ index, matrix: operation.matrix }]
        : [],
    );
    return {
      indices: own.map(({ index }) => index),
      apply: (images) =>
        affine(
          images,
          own.map(({ matrix }) => matrix),
          { interpolation, fill },
        ),
    };
  });
  return [...ofLevels, ...moves];
}
