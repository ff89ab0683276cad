import * as tf from "@tensorflow/tfjs-core";

/** A part of an image; ends are excluded. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/**
 * 1 inside the rectangle of each image and 0 outside, `[images, height, width, 1]`; an image without a rectangle is 0.
 */
export function rectangleMask(
  rectangles: readonly (Rectangle | undefined)[],
  height: number,
  width: number,
): tf.Tensor4D {
  const values = new Float32Array(rectangles.length * height * width);
  rectangles.forEach((rectangle, image) => {
    if (rectangle === undefined) return;
    for (let y = rectangle.top; y < rectangle.bottom; y++) {
      const row = (image * height + y) * width;
      values.fill(1, row + rectangle.left, row + rectangle.right);
    }
  });
  return tf.tensor4d(values, [rectangles.length, height, width, 1]);
}
