import * as tf from "@tensorflow/tfjs-core";

/** A part of an image; ends are excluded. */
export interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** 1 inside the rectangle of each image and 0 outside, `[images, height, width, 1]`. */
export function rectangleMask(rectangles: readonly Rectangle[], height: number, width: number): tf.Tensor4D {
  const rows = new Float32Array(rectangles.length * height);
  const columns = new Float32Array(rectangles.length * width);
  rectangles.forEach(({ top, bottom, left, right }, image) => {
    rows.fill(1, image * height + top, image * height + bottom);
    columns.fill(1, image * width + left, image * width + right);
  });
  return tf.tidy(() =>
    tf.mul(
      tf.tensor4d(rows, [rectangles.length, height, 1, 1]),
      tf.tensor4d(columns, [rectangles.length, 1, width, 1]),
    ),
  );
}
