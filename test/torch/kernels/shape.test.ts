import * as fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { anyReal, anyTensor, smallInteger, tensor, truth } from "./arbitrary.js";
import { expectClose, expectSame, onTorch, type Plain, reals } from "./kernelRun.js";

const anyReals = anyTensor("float32", anyReal);

/** One choice for each axis of a tensor. */
function perAxis<T>(x: Plain, choice: (size: number, axis: number) => fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.tuple(...x.shape.map(choice));
}

/** A tensor of any dtype and rank, and attributes that fit it. */
function runs<T>(
  attributes: (x: Plain) => fc.Arbitrary<T>,
  limits: Parameters<typeof anyTensor>[2] = {},
): fc.Arbitrary<[Plain, T]> {
  return fc
    .oneof(
      anyTensor("float32", anyReal, limits),
      anyTensor("int32", smallInteger, limits),
      anyTensor("bool", truth, limits),
    )
    .chain((x) => fc.tuple(fc.constant(x), attributes(x)));
}

test("Identity and Reshape", () => {
  fc.assert(
    fc.property(anyReals, (x) => {
      expectSame(tf.Identity, { x });
      expectSame(tf.Reshape, { x }, { shape: [...x.shape].reverse() });
      expectSame(tf.Reshape, { x }, { shape: [x.values.length] });
    }),
  );
  expect(() => onTorch(tf.Reshape, { x: reals([2], [1, 2]) }, { shape: [3] })).toThrow(
    "Size(2) must match the product of shape 3",
  );
});

test("ExpandDims", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ dim: number }> =>
    fc.record({ dim: fc.integer({ min: -x.shape.length - 1, max: x.shape.length }) });
  fc.assert(fc.property(runs(attrs), ([input, attrs]) => expectSame(tf.ExpandDims, { input }, attrs)));
});

test("Transpose", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ perm: number[] }> =>
    fc
      .shuffledSubarray(
        x.shape.map((_, i) => i),
        { minLength: x.shape.length },
      )
      .map((perm) => ({ perm }));
  fc.assert(fc.property(runs(attrs), ([x, attrs]) => expectSame(tf.Transpose, { x }, attrs)));
});

test("Tile, also no times", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ reps: number[] }> =>
    perAxis(x, () => fc.integer({ min: 0, max: 2 })).map((reps) => ({ reps }));
  fc.assert(fc.property(runs(attrs), ([x, attrs]) => expectSame(tf.Tile, { x }, attrs)));
});

test("BroadcastTo", () => {
  const x = reals([2, 1], [1, 2]);
  expect(onTorch(tf.BroadcastTo, { x }, { shape: [2, 2, 2] })).toEqual([
    reals([2, 2, 2], [1, 1, 2, 2, 1, 1, 2, 2]),
  ]);
});

test("Reverse", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ dims: number[] }> =>
    fc.subarray(x.shape.map((_, i) => i)).map((dims) => ({ dims }));
  fc.assert(fc.property(runs(attrs, { minRank: 1 }), ([x, attrs]) => expectSame(tf.Reverse, { x }, attrs)));
});

test("Slice", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ begin: number[]; size: number[] }> =>
    perAxis(x, (length) =>
      fc
        .integer({ min: 0, max: length })
        .chain((begin) =>
          fc.tuple(
            fc.constant(begin),
            fc.oneof(fc.integer({ min: 0, max: length - begin }), fc.constant(-1)),
          ),
        ),
    ).map((parts) => ({ begin: parts.map(([begin]) => begin), size: parts.map(([, size]) => size) }));
  // The cpu backend loses the value of a scalar.
  fc.assert(fc.property(runs(attrs, { minRank: 1 }), ([x, attrs]) => expectSame(tf.Slice, { x }, attrs)));
  expect(onTorch(tf.Slice, { x: reals([], [7]) }, { begin: [], size: [] })).toEqual([reals([], [7])]);
});

test("StridedSlice, with every mask and both directions", () => {
  const bound = fc.integer({ min: -5, max: 5 });
  const mask = fc.integer({ min: 0, max: 7 });
  const attrs = (x: Plain): fc.Arbitrary<object> =>
    fc.integer({ min: 0, max: x.shape.length }).chain((dims) =>
      fc.record({
        begin: fc.array(bound, { minLength: dims, maxLength: dims }),
        end: fc.array(bound, { minLength: dims, maxLength: dims }),
        strides: fc.array(fc.constantFrom(1, 2, 3, -1, -2), { minLength: dims, maxLength: dims }),
        beginMask: mask,
        endMask: mask,
        ellipsisMask: fc.constantFrom(0, 0, 1, 2),
        newAxisMask: fc.constantFrom(0, 0, 1, 2),
        shrinkAxisMask: fc.constantFrom(0, 0, 1, 2),
      }),
    );
  const outcome = (run: () => Plain[]): Plain[] | string => {
    try {
      return run();
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(runs(attrs, { maxRank: 4 }), ([x, attrs]) => {
      const { finalShape } = sliceInfoOf(x, attrs) ?? { finalShape: [-1] };
      fc.pre(finalShape.every((size) => size >= 0));
      expect(outcome(() => onTorch(tf.StridedSlice, { x }, attrs))).toEqual(referenceStridedSlice(x, attrs));
    }),
    { numRuns: 300 },
  );
});

type SliceInfo = ReturnType<typeof tf.slice_util.sliceInfo>;

function sliceInfoOf(x: Plain, attrs: object): SliceInfo | undefined {
  const { begin, end, strides, ...masks } = attrs as tf.StridedSliceAttrs;
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = masks;
  try {
    return tf.slice_util.sliceInfo(
      [...x.shape],
      [...begin],
      [...end],
      [...strides],
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
  } catch {
    return undefined;
  }
}

/** Element by element: begin + place · stride along each axis. */
function referenceStridedSlice(x: Plain, attrs: object): Plain[] {
  const info = sliceInfoOf(x, attrs);
  if (info === undefined) throw new Error("no slice");
  const { begin, end, strides, finalShape } = info;
  const counts = x.shape.map((_, i) => Math.max(0, Math.ceil((end[i] - begin[i]) / strides[i])));
  const steps = tf.util.computeStrides([...x.shape]);
  const values: number[] = [];
  const visit = (axis: number, offset: number): void => {
    if (axis === x.shape.length) {
      values.push(x.values[offset]);
      return;
    }
    for (let i = 0; i < counts[axis]; i++) {
      visit(axis + 1, offset + (begin[axis] + i * strides[axis]) * (steps[axis] ?? 1));
    }
  };
  visit(0, 0);
  return [{ ...x, shape: finalShape, values }];
}

test("Concat, also with parts of nothing", () => {
  const parts = anyTensor("float32", anyReal, { minRank: 1, maxRank: 4 }).chain((first) =>
    fc.integer({ min: 0, max: first.shape.length - 1 }).chain((axis) => {
      const size = fc.integer({ min: 0, max: 3 });
      const other = size.chain((length) =>
        tensor(
          first.shape.map((old, i) => (i === axis ? length : old)),
          "float32",
          anyReal,
        ),
      );
      return fc.record({ parts: fc.tuple(fc.constant(first), other, other), axis: fc.constant(axis) });
    }),
  );
  fc.assert(fc.property(parts, ({ parts, axis }) => expectSame(tf.Concat, parts, { axis })));
});

test("Pack and Unpack", () => {
  const attrs = (x: Plain): fc.Arbitrary<{ axis: number }> =>
    fc.record({ axis: fc.integer({ min: 0, max: x.shape.length }) });
  fc.assert(
    fc.property(runs(attrs, { maxRank: 5 }), ([x, attrs]) => {
      expectSame(tf.Pack, [x, x], attrs);
      const [value] = onTorch(tf.Pack, [x, x], attrs);
      expectSame(tf.Unpack, { value }, attrs);
    }),
  );
});

test("SplitV", () => {
  const x = reals([2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expectSame(tf.SplitV, { x }, { numOrSizeSplits: [1, 0, 4], axis: 1 });
  expectSame(tf.SplitV, { x }, { numOrSizeSplits: [2, -1], axis: 1 });
  expectSame(tf.SplitV, { x }, { numOrSizeSplits: 2, axis: 0 });
});

test("PadV2", () => {
  const side = fc.integer({ min: 0, max: 2 });
  const attrs = (x: Plain): fc.Arbitrary<{ paddings: [number, number][]; constantValue: number }> =>
    fc.record({ paddings: perAxis(x, () => fc.tuple(side, side)), constantValue: truth });
  fc.assert(fc.property(runs(attrs, { maxRank: 4 }), ([x, attrs]) => expectSame(tf.PadV2, { x }, attrs)));
});

test.each(["reflect", "symmetric"])("MirrorPad, %s", (mode) => {
  const attrs = (x: Plain): fc.Arbitrary<{ paddings: [number, number][]; mode: string }> => {
    const side = (length: number): fc.Arbitrary<number> =>
      fc.integer({ min: 0, max: Math.max(0, mode === "reflect" ? length - 1 : length) });
    return perAxis(x, (length) => fc.tuple(side(length), side(length))).map((paddings) => ({
      paddings,
      mode,
    }));
  };
  fc.assert(
    fc.property(runs(attrs, { maxRank: 4, min: 1 }), ([x, attrs]) => expectSame(tf.MirrorPad, { x }, attrs)),
  );
});

describe("blocks", () => {
  test("SpaceToBatchND and back", () => {
    const x = reals(
      [1, 4, 4, 1],
      Array.from({ length: 16 }, (_, i) => i),
    );
    const attrs = { blockShape: [2, 2], paddings: [[0, 0], [2, 0]] }; // prettier-ignore
    expectSame(tf.SpaceToBatchND, { x }, attrs);
    const [blocks] = onTorch(tf.SpaceToBatchND, { x }, attrs);
    const back = { blockShape: [2, 2], crops: [[0, 0], [2, 0]] }; // prettier-ignore
    expectSame(tf.BatchToSpaceND, { x: blocks }, back);
    expectClose(onTorch(tf.BatchToSpaceND, { x: blocks }, back), [x]);
  });
  test("DepthToSpace in both orders of axes", () => {
    const x = reals([1, 2, 1, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
    expectSame(tf.DepthToSpace, { x }, { blockSize: 2, dataFormat: "NHWC" });
    const first = reals([1, 4, 2, 1], [1, 5, 2, 6, 3, 7, 4, 8]);
    const [y] = onTorch(tf.DepthToSpace, { x: first }, { blockSize: 2, dataFormat: "NCHW" });
    expect(y).toEqual(reals([1, 1, 4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  });
});
