import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import type { DrawnColor } from "../../../src/data/augment/colorJitter.js";

/** What torchvision and timm make of pictures: golden/augment/make.py. */
export const golden = JSON.parse(
  readFileSync(new URL("../../golden/augment/augment.json", import.meta.url), "utf8"),
) as {
  readonly fill: readonly number[];
  readonly images: readonly {
    readonly shape: readonly [number, number, number];
    readonly levels: readonly number[];
  }[];
  readonly crops: readonly {
    readonly image: number;
    readonly box: readonly [top: number, left: number, height: number, width: number];
    readonly cubic: boolean;
    readonly flipped: boolean;
    readonly values: readonly number[];
  }[];
  readonly colors: readonly {
    readonly image: number;
    readonly changes: readonly DrawnColor[];
    readonly values: readonly number[];
  }[];
  readonly operations: readonly {
    readonly name: string;
    readonly place: number;
    readonly image: number;
    readonly magnitude: number;
    readonly sign: number;
    readonly cubic: boolean;
    readonly values: readonly number[];
  }[];
  readonly boxes: readonly {
    readonly size: readonly [number, number];
    readonly scale: readonly [number, number];
    readonly ratio: readonly [number, number];
    readonly count: number;
    readonly area: readonly number[];
    readonly aspect: readonly number[];
  }[];
};

/** Golden pictures as one batch of levels 0…255; they must be of one size. */
export function pictures(indices: readonly number[]): tf.Tensor4D {
  const [height, width, channels] = golden.images[indices[0]].shape;
  const levels = indices.flatMap((index) => golden.images[index].levels);
  return tf.tensor4d(levels, [indices.length, height, width, channels]);
}

/** Largest absolute difference of levels 0…255 from values 0…1, in those. */
export function largestError(got: tf.Tensor, expected: readonly number[]): number {
  const values = got.dataSync();
  if (values.length !== expected.length) return Infinity;
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - values[i] / 255)), 0);
}
