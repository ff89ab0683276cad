import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { tensor } from "./arbitrary.js";
import { expectSame, onTorch, type Plain, reals } from "./kernelRun.js";

const value = fc.integer({ min: -4, max: 4 });
const runs = fc
  .record({
    sizes: fc.tuple(fc.integer({ min: 3, max: 5 }), fc.integer({ min: 3, max: 5 })),
    filter: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    strides: fc.integer({ min: 1, max: 2 }),
    dilations: fc.integer({ min: 1, max: 2 }),
    pad: fc.constantFrom("same", "valid"),
  })
  .chain(({ sizes, filter, ...attrs }) =>
    fc.record({
      x: tensor([2, ...sizes, 2], "float32", value),
      filter: tensor([...filter, 2], "float32", value),
      attrs: fc.constant(attrs),
    }),
  );

test("Dilation2D", () => {
  fc.assert(fc.property(runs, ({ x, filter, attrs }) => expectSame(tf.Dilation2D, { x, filter }, attrs)));
});

test.each([tf.Dilation2DBackpropInput, tf.Dilation2DBackpropFilter])(
  "%s: of equals the first",
  (kernelName) => {
    // The cpu backend wants tensors with a rank: its own result has none, so the gradient of ones is held against sums.
    fc.assert(
      fc.property(runs, ({ x, filter, attrs }) => {
        const [y] = onTorch(tf.Dilation2D, { x, filter }, attrs);
        const dy: Plain = { ...y, values: y.values.map((_, i) => (i % 5) - 2) };
        const wanted = kernelName === tf.Dilation2DBackpropInput ? x : filter;
        const expected = reference({ x, filter, dy }, y.shape, attrs);
        const values = kernelName === tf.Dilation2DBackpropInput ? expected.dx : expected.dFilter;
        expect(onTorch(kernelName, { x, filter, dy }, attrs)).toEqual([reals(wanted.shape, values)]);
      }),
    );
  },
);

/** Sends each element of dy to the first of the largest candidates in its window. */
function reference(
  { x, filter, dy }: Record<"x" | "filter" | "dy", Plain>,
  [, rows, columns]: readonly number[],
  attrs: { strides: number; dilations: number; pad: string },
): { dx: number[]; dFilter: number[] } {
  const [batch, height, width, channels] = x.shape;
  const { padInfo } = tf.backend_util.computeDilation2DInfo(
    [batch, height, width, channels],
    filter.shape as [number, number, number],
    attrs.strides,
    attrs.pad as "same",
    "NHWC",
    attrs.dilations,
  );
  const dx = x.values.map(() => 0);
  const dFilter = filter.values.map(() => 0);
  for (let i = 0; i < dy.values.length; i++) {
    const channel = i % channels;
    const column = Math.floor(i / channels) % columns;
    const row = Math.floor(i / (channels * columns)) % rows;
    const image = Math.floor(i / (channels * columns * rows));
    let best = { value: -Infinity, from: -1, place: -1 };
    for (let place = 0; place < filter.shape[0] * filter.shape[1]; place++) {
      const h = row * attrs.strides - padInfo.top + Math.floor(place / filter.shape[1]) * attrs.dilations;
      const w = column * attrs.strides - padInfo.left + (place % filter.shape[1]) * attrs.dilations;
      if (h < 0 || h >= height || w < 0 || w >= width) continue;
      const from = ((image * height + h) * width + w) * channels + channel;
      const value = x.values[from] + filter.values[place * channels + channel];
      if (value > best.value) best = { value, from, place: place * channels + channel };
    }
    dx[best.from] += dy.values[i];
    dFilter[best.place] += dy.values[i];
  }
  return { dx, dFilter };
}

test("windows larger than the image leave nothing", () => {
  const [x, filter] = [reals([1, 1, 1, 1], [1]), reals([2, 2, 1], [0, 0, 0, 0])];
  const attrs = { strides: 1, dilations: 1, pad: "valid" };
  const [y] = onTorch(tf.Dilation2D, { x, filter }, attrs);
  expect(y).toEqual(reals([1, 0, 0, 1], []));
  expect(onTorch(tf.Dilation2DBackpropInput, { x, filter, dy: y }, attrs)).toEqual([
    reals([1, 1, 1, 1], [0]),
  ]);
});
