import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { tensor } from "./arbitrary.js";
import { differences } from "./differences.js";
import { expectClose, expectSame, onTorch, type Plain, reals } from "./kernelRun.js";

// Small integers: every order of summation gives the same.
const value = fc.integer({ min: -4, max: 4 });

interface Run {
  x: Plain;
  filter: Plain;
  attrs: Omit<tf.Conv2DAttrs, "dataFormat"> & { dataFormat: "NHWC" };
}

/** Convolutions of any size, stride, dilation and padding. */
function runs(last: number): fc.Arbitrary<Run> {
  const size = fc.integer({ min: 3, max: 6 });
  const side = fc.integer({ min: 0, max: 2 });
  const explicit = fc
    .tuple(fc.tuple(side, side), fc.tuple(side, side))
    .map(([rows, columns]): tf.backend_util.ExplicitPadding => [[0, 0], rows, columns, [0, 0]]);
  return fc
    .record({
      batch: fc.integer({ min: 1, max: 2 }),
      height: size,
      width: size,
      channels: fc.integer({ min: 1, max: 3 }),
      filter: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilated: fc.boolean(),
      pad: fc.oneof(fc.constantFrom("same", "valid", 0, 1, 2), explicit) as fc.Arbitrary<
        tf.Conv2DAttrs["pad"]
      >,
    })
    .chain(({ batch, height, width, channels, filter, strides, dilated, pad }) => {
      const attrs = {
        strides: dilated ? 1 : strides,
        dilations: dilated ? strides : 1,
        pad,
        dataFormat: "NHWC",
        ...(typeof pad === "string" ? {} : { dimRoundingMode: "floor" }),
      } as Run["attrs"];
      return fc.record({
        x: tensor([batch, height, width, channels], "float32", value),
        filter: tensor([...filter, channels, last], "float32", value),
        attrs: fc.constant(attrs),
      });
    })
    .filter(({ x, filter, attrs }) => {
      const info = tf.backend_util.computeConv2DInfo(
        x.shape as [number, number, number, number],
        filter.shape as [number, number, number, number],
        attrs.strides,
        attrs.dilations,
        attrs.pad,
        attrs.dimRoundingMode,
      );
      return info.outHeight > 0 && info.outWidth > 0;
    });
}

const counting = (plain: Plain): Plain => ({ ...plain, values: plain.values.map((_, i) => (i % 5) - 2) });
const toNCHW = ({ shape: [n, h, w, c], values }: Plain): Plain => ({
  ...reals([n, c, h, w], []),
  values: Array.from({ length: values.length }, (_, i) => {
    const [image, channel, row, column] = [
      Math.floor(i / (c * h * w)),
      Math.floor(i / (h * w)) % c,
      Math.floor(i / w) % h,
      i % w,
    ];
    return values[((image * h + row) * w + column) * c + channel];
  }),
});

describe.each([
  [tf.Conv2D, tf.Conv2DBackpropInput, tf.Conv2DBackpropFilter, 2],
  [
    tf.DepthwiseConv2dNative,
    tf.DepthwiseConv2dNativeBackpropInput,
    tf.DepthwiseConv2dNativeBackpropFilter,
    2,
  ],
])("%s", (forward, byInput, byFilter, last) => {
  test("sizes, strides, dilations and paddings as on tfjs's cpu backend", () => {
    fc.assert(fc.property(runs(last), ({ x, filter, attrs }) => expectSame(forward, { x, filter }, attrs)));
  });

  test("its gradients are its differences", () => {
    fc.assert(
      fc.property(runs(last), ({ x, filter, attrs }) => {
        const [y] = onTorch(forward, { x, filter }, attrs);
        const dy = counting(y);
        const dx = onTorch(byInput, { dy, filter }, { ...attrs, inputShape: x.shape });
        expectClose(dx, [differences(forward, { x, filter }, attrs, "x", dy, 1)]);
        const dFilter = onTorch(byFilter, { x, dy }, { ...attrs, filterShape: filter.shape });
        expectClose(dFilter, [differences(forward, { x, filter }, attrs, "filter", dy, 1)]);
      }),
      { numRuns: 40 },
    );
  });

  test("channels first is the same with other axes", () => {
    fc.assert(
      fc.property(runs(last), ({ x, filter, attrs }) => {
        const { pad } = attrs;
        const [batch, rows, columns, channels] = Array.isArray(pad) ? pad : [];
        const first = {
          ...attrs,
          dataFormat: "NCHW",
          pad: Array.isArray(pad) ? [batch, channels, rows, columns] : pad,
        };
        const [y] = onTorch(forward, { x, filter }, attrs);
        expectClose(onTorch(forward, { x: toNCHW(x), filter }, first), [toNCHW(y)]);
      }),
      { numRuns: 40 },
    );
  });

  test("windows larger than the image leave nothing", () => {
    const [x, filter] = [
      reals([1, 2, 2, 1], [1, 2, 3, 4]),
      reals([3, 3, 1, 1], new Array<number>(9).fill(1)),
    ];
    const attrs = { strides: 1, dilations: 1, pad: "valid", dataFormat: "NHWC" };
    const [y] = onTorch(forward, { x, filter }, attrs);
    expect(y).toEqual(reals([1, 0, 0, 1], []));
    const dx = onTorch(byInput, { dy: y, filter }, { ...attrs, inputShape: x.shape });
    expect(dx).toEqual([reals(x.shape, [0, 0, 0, 0])]);
    const dFilter = onTorch(byFilter, { x, dy: y }, { ...attrs, filterShape: filter.shape });
    expect(dFilter).toEqual([reals(filter.shape, new Array<number>(9).fill(0))]);
  });
});

test("one channel in a batch, strides wider than the window", () => {
  // Depending on what was in memory before, torch may give anything here: see channelsFirst.
  const x = reals([2, 5, 3, 1], new Array<number>(30).fill(0));
  const filter = reals([3, 2, 1, 2], new Array<number>(12).fill(1));
  const attrs = { strides: [1, 3], dilations: 1, pad: [[0, 0], [1, 1], [0, 0], [0, 0]], dataFormat: "NHWC" }; // prettier-ignore
  for (let i = 0; i < 50; i++) {
    onTorch(tf.Fill, {}, { shape: [20 + i], value: 1e30, dtype: "float32" });
    expect(onTorch(tf.Conv2D, { x, filter }, attrs)[0].values).toEqual(new Array<number>(20).fill(0));
  }
});

describe.each([tf.FusedConv2D, tf.FusedDepthwiseConv2D])("%s", (kernelName) => {
  test.each(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"])("with %s", (activation) => {
    fc.assert(
      fc.property(runs(2), ({ x, filter, attrs }) => {
        const channels = kernelName === tf.FusedConv2D ? 2 : 2 * x.shape[3];
        const line = (first: number): Plain =>
          reals(
            [channels],
            Array.from({ length: channels }, (_, i) => first + i / 4),
          );
        const inputs = { x, filter, bias: line(-0.5), preluActivationWeights: line(0.25) };
        expectSame(kernelName, inputs, { ...attrs, activation, leakyreluAlpha: 0.25 }, { ulps: 8, scale: 1 });
      }),
      { numRuns: 15 },
    );
  });
  test("channels first: bias and slopes go with the channels", () => {
    const x = reals([1, 2, 1, 2], [1, 2, -3, -4]);
    const filter = reals([1, 1, 2, 1], [1, 1]);
    const isDense = kernelName === tf.FusedConv2D;
    const one = isDense ? [10] : [10, 20];
    const attrs = { strides: 1, dilations: 1, pad: "valid", dataFormat: "NCHW", activation: "linear" };
    const [y] = onTorch(kernelName, { x, filter, bias: reals([one.length], one) }, attrs);
    expect(y).toEqual(isDense ? reals([1, 1, 1, 2], [8, 8]) : reals([1, 2, 1, 2], [11, 12, 17, 16]));
  });
});
