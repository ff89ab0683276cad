import * as tf from "@tensorflow/tfjs-core";

/** A part of an image; ends are excluded. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** 1 inside the rectangle of each image and 0 outside, `[images, height, width, channels]`. */
export function rectangleMask(
  rectangles: readonly Rectangle[],
  [height, width, channels]: readonly [height: number, width: number, channels: number],
): tf.Tensor4D {
  const rows = new Float32Array(rectangles.length * height);
  const columns = new Float32Array(rectangles.length * width * channels);
  rectangles.forEach(({ top, bottom, left, right }, image) => {
    rows.fill(1, image * height + top, image * height + bottom);
    const start = image * width;
    columns.fill(1, (start + left) * channels, (start + right) * channels);
  });
  return tf.tidy(() => {
    const inRow = tf.tensor3d(rows, [rectangles.length, height, 1]);
    const inColumn = tf.tensor3d(columns, [rectangles.length, 1, width * channels]);
    return tf.reshape(tf.mul(inRow, inColumn), [rectangles.length, height, width, channels]);
  });
}
