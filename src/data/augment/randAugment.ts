import * as tf from "@tensorflow/tfjs-core";
import type { Random } from "../../random.js";
import { affine } from "./affine.js";
import { drawCubic, linear, turningCubic } from "./interpolation.js";
import { throughTables } from "./levels.js";
import { type DrawnOperation, drawOperation, imageOperations } from "./operations.js";
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
      const own = drawCubic(interpolation, random) ? turningCubic : linear;
      return drawOperation(drawn, { height, width, interpolation: own }, random);
    }),
  );
}

/**
 * RandAugment as timm has it, in its increasing variant: each layer does one of fifteen operations to each image, or nothing.
 * Images of one layer that get the same kind of operation are worked on together.
 *
 * @param images `[batch, height, width, 1 or 3]`, levels 0…255; rounded to whole ones, as timm works on bytes
 * @param fill by channel, levels, what comes from outside an image
 * Source: Cubuk et al., "RandAugment", 2019; timm's auto_augment.py.
 */
export function randAugment(
  images: tf.Tensor4D,
  layers: readonly (readonly (DrawnOperation | undefined)[])[],
  fill: readonly number[],
): tf.Tensor4D {
  return tf.tidy(() =>
    layers.reduce(
      (levels, drawn) => changeSome(levels, groupsOf(drawn, fill)),
      tf.round(tf.clipByValue(images, 0, 255)),
    ),
  );
}

/** What is done in one layer, kind by kind. */
function groupsOf(drawn: readonly (DrawnOperation | undefined)[], fill: readonly number[]): ImageGroup[] {
  const of = <Argument>(
    argumentOf: (operation: DrawnOperation) => Argument | undefined,
    apply: (images: tf.Tensor4D, of: readonly Argument[]) => tf.Tensor4D,
  ): ImageGroup => {
    const own = drawn.flatMap((operation, index) => {
      const argument = operation && argumentOf(operation);
      return argument === undefined ? [] : [{ index, argument }];
    });
    return {
      indices: own.map(({ index }) => index),
      apply: (images) =>
        apply(
          images,
          own.map(({ argument }) => argument),
        ),
    };
  };
  return [
    of((operation) => (operation.kind === "table" ? operation.levelOf : undefined), throughTables),
    ...Object.entries(imageOperations).map(([kind, apply]) =>
      of(
        (operation) => ("factor" in operation && operation.kind === kind ? operation.factor : undefined),
        (images, factors) => apply(images, perImage(factors)),
      ),
    ),
    ...[linear, turningCubic].map((interpolation) =>
      of(
        (operation) =>
          operation.kind === "move" && operation.interpolation === interpolation
            ? operation.matrix
            : undefined,
        (images, matrices) => affine(images, matrices, { interpolation, fill }),
      ),
    ),
  ];
}
