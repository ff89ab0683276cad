import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { type Addon, addonStatus, type BuildRecord, type Handle, loadAddon } from "../../src/torch/addon.js";
import { openAddon, readBuild } from "../../src/torch/addon.js";
import { ScalarType } from "../../src/torch/scalarType.js";

const { float32, float64, int32, int64, bool, uint8 } = ScalarType;
const addonPath = fileURLToPath(new URL("../../native/build/bridge.node", import.meta.url));
const addon: Addon = loadAddon();

let liveBefore = 0;
beforeEach(() => {
  liveBefore = addon.live();
});
afterEach(() => {
  expect(addon.live()).toBe(liveBefore);
});

/** Runs `f` with handles that are freed afterwards, results included. */
function scoped<T>(f: (own: (handle: unknown) => Handle) => T): T {
  const handles: Handle[] = [];
  try {
    return f((handle) => {
      handles.push(handle as Handle);
      return handle as Handle;
    });
  } finally {
    for (const handle of handles) addon.free(handle);
  }
}

const vector = (values: readonly number[], shape: readonly number[] = [values.length]): Handle =>
  addon.from(Float32Array.from(values), shape, float32, "cpu");
const floats = (handle: Handle): number[] => [...new Float32Array(addon.read(handle, float32))];
const op = (name: string, overload?: string): number => addon.op(name, overload);
const describeMeta = (): number[] => [...addon.meta.subarray(1, 4 + addon.meta[3])];

describe("operators", () => {
  test("are found by name and overload, and print their schema", () => {
    expect(addon.schema(op("aten::add", "Tensor"))).toBe(
      "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    );
    expect(addon.schema(op("aten::relu"))).toBe("aten::relu(Tensor self) -> Tensor");
    expect(() => op("aten::nothing")).toThrow("Could not find schema for aten::nothing");
    expect(() => op(3 as unknown as string)).toThrow("bridge.op: argument `name` must be a string; got 3");
    expect(() => addon.call(1e6)).toThrow(
      "bridge.call: argument `op` must be a number that op() gave; got 1000000",
    );
  });

  test("missing arguments take the schema's defaults", () =>
    scoped((own) => {
      const x = own(vector([1, 2]));
      expect(floats(own(addon.call(op("aten::add", "Tensor"), x, x)))).toEqual([2, 4]);
      expect(floats(own(addon.call(op("aten::add", "Tensor"), x, x, undefined)))).toEqual([2, 4]);
      expect(floats(own(addon.call(op("aten::add", "Tensor"), x, x, -0.5)))).toEqual([0.5, 1]);
    }));

  test("outputs are described in meta", () =>
    scoped((own) => {
      const x = own(vector([3, 1, 2, 0, 5, 4], [2, 3]));
      const [values, indices] = addon.call(op("aten::topk"), x, 2) as Handle[];
      own(values);
      own(indices);
      expect([...addon.meta.subarray(0, 11)]).toEqual([2, values, float32, 2, 2, 2, indices, int64, 2, 2, 2]);
      expect(floats(values)).toEqual([3, 2, 5, 4]);
    }));

  test("10,000 outputs fit: meta grows", () => {
    const x = vector(Array.from({ length: 10_000 }, (_, i) => i));
    const pieces = addon.call(op("aten::unbind", "int"), x) as Handle[];
    addon.free(x);
    expect(pieces).toHaveLength(10_000);
    expect(addon.meta[0]).toBe(10_000);
    expect([...addon.meta.subarray(1 + 9_999 * 3, 1 + 10_000 * 3)]).toEqual([pieces[9_999], float32, 0]);
    expect(floats(pieces[9_999])).toEqual([9_999]);
    for (const piece of pieces) addon.free(piece);
  });

  test("outputs that are None are null, and have no entry", () =>
    scoped((own) => {
      const x = own(addon.call(op("aten::ones"), [1, 1, 3]));
      const gradients = addon.call(
        op("aten::convolution_backward"),
        ...[x, x, own(addon.call(op("aten::ones"), [1, 1, 1])), null, [1], [0], [1]],
        ...[false, [0], 1, [true, false, false]],
      ) as Handle[];
      expect(gradients.slice(1)).toEqual([null, null]);
      expect(addon.meta[0]).toBe(1);
      own(gradients[0]);
    }));

  test("numbers and booleans come back as such", () =>
    scoped((own) => {
      const x = own(vector([2]));
      expect(addon.call(op("aten::item"), x)).toBe(2);
      expect(addon.call(op("aten::equal"), x, x)).toBe(true);
      expect(addon.call(op("aten::size", "int"), x, 0)).toBe(1);
    }));

  test("callVoid drops the results of an in-place operator", () =>
    scoped((own) => {
      const x = own(vector([1, 2]));
      addon.callVoid(op("aten::mul_", "Scalar"), x, 3);
      expect(floats(x)).toEqual([3, 6]);
    }));

  test("PyTorch's own text is the message, and the stack is JavaScript's", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4, 5, 6], [2, 3]));
      const callMatmul = (): unknown => addon.call(op("aten::mm"), x, x);
      expect(callMatmul).toThrow("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
      try {
        callMatmul();
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("TORCH");
        expect((error as Error).stack).toContain("callMatmul");
      }
    }));
});

describe("arguments", () => {
  const refusal = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };

  test("refusals name the operator, the argument, what must hold, what came and the schema", () =>
    scoped((own) => {
      const x = own(vector([1, 2]));
      const add = op("aten::add", "Tensor");
      const sum = op("aten::sum", "dim_IntList");
      const texts = [
        () => addon.call(add, x, "x"),
        () => addon.call(add, x),
        () => addon.call(add, x, null),
        () => addon.call(add, x, x, "1"),
        () => addon.call(add, x, x, 1, 2),
        () => addon.call(sum, x, [0.5]),
        () => addon.call(sum, x, [NaN]),
        () => addon.call(sum, x, [2 ** 60]),
        () => addon.call(sum, x, 0, 1),
        () => addon.call(op("aten::cat"), x),
        () => addon.call(op("aten::cat"), [x, 7]),
        () => addon.call(op("aten::einsum"), 1, [x]),
        () => addon.call(op("aten::leaky_relu"), x, {} as unknown as number),
        () => addon.call(op("aten::bernoulli", "p"), x, 0.5, 1),
      ].map((f) => refusal(f).replaceAll(String(x), "<x>"));
      expect(texts).toMatchSnapshot();
    }));

  test("a freed handle is refused, also after its slot has another tensor", () => {
    const freed = vector([1]);
    addon.free(freed);
    const next = vector([2]);
    expect(() => addon.read(freed)).toThrow(
      `bridge.read: argument \`handle\` must be a live tensor handle; got ${freed}, which is freed or was never given out`,
    );
    expect(() => addon.free(freed)).toThrow("freed");
    expect(floats(next)).toEqual([2]);
    addon.free(next);
    for (const wrong of [0, -1, 1.5, NaN, 2 ** 40])
      expect(() => addon.info(wrong)).toThrow("live tensor handle");
  });

  test("an int takes integers, also as bigint; one number stands for int[k]", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4], [2, 2]));
      expect(floats(own(addon.call(op("aten::sum", "dim_IntList"), x, 0)))).toEqual([4, 6]);
      expect(floats(own(addon.call(op("aten::sum", "dim_IntList"), x, [1n])))).toEqual([3, 7]);
      expect(floats(own(addon.call(op("aten::slice", "Tensor"), x, 0, 1, 2n ** 63n - 1n)))).toEqual([3, 4]);
      expect(() => addon.call(op("aten::slice", "Tensor"), x, 0, 0, 2n ** 63n)).toThrow(
        "must be an integer; got bigint",
      );
    }));

  test("a Scalar is an integer where the number has no fraction", () =>
    scoped((own) => {
      const integers = own(addon.from(Int32Array.of(1, 2), [2], int32, "cpu"));
      const typeOf = (value: number | boolean | bigint): number => {
        own(addon.call(op("aten::mul", "Scalar"), integers, value));
        return addon.meta[2];
      };
      expect(typeOf(2)).toBe(int32);
      expect(typeOf(2n)).toBe(int32);
      expect(typeOf(true)).toBe(int32);
      expect(typeOf(2.5)).toBe(float32);
      expect(typeOf(NaN)).toBe(float32);
      expect(typeOf(Infinity)).toBe(float32);
      expect(typeOf(1e300)).toBe(float32);
      // An integer has no −0, so −0 beside integers is 0 and does not turn them into floats.
      expect(typeOf(-0)).toBe(int32);
    }));

  test("−0, NaN, infinities and numbers beyond 2^53 arrive as they are", () =>
    scoped((own) => {
      for (const value of [-0, NaN, -Infinity, 2 ** 60, 2 ** 53, 0.1]) {
        const filled = own(addon.call(op("aten::full"), [1], value, float64));
        expect(new Float64Array(addon.read(filled))).toEqual(Float64Array.of(value));
      }
      // Beside floats −0 keeps its sign: 1 · −0 = −0.
      const one = own(vector([1]));
      expect(floats(own(addon.call(op("aten::mul", "Scalar"), one, -0)))).toEqual([-0]);
    }));

  test("a number that an integer tensor cannot hold is PyTorch's error, never a wrong value", () => {
    expect(() => addon.call(op("aten::full"), [1], 3e9, int32)).toThrow("without overflow");
  });

  test("lists of optional tensors, of booleans, of floats and of scalars", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4], [2, 2]));
      const row = own(addon.from(BigInt64Array.of(1n), [1], int64, "cpu"));
      expect(floats(own(addon.call(op("aten::index", "Tensor"), x, [null, row])))).toEqual([2, 4]);
      const [scaled] = addon.call(op("aten::_foreach_mul", "ScalarList"), [x], [2]) as Handle[];
      expect(floats(own(scaled))).toEqual([2, 4, 6, 8]);
      const image = own(addon.call(op("aten::ones"), [1, 1, 2, 2]));
      own(addon.call(op("aten::upsample_nearest2d", "vec"), image, null, [2, 2]));
      expect(describeMeta().slice(2)).toEqual([4, 1, 1, 4, 4]);
    }));

  test("devices and strings", () =>
    scoped((own) => {
      const x = own(addon.call(op("aten::zeros"), [2], null, null, "cpu"));
      expect(floats(x)).toEqual([0, 0]);
      expect(() => addon.call(op("aten::zeros"), [2], null, null, "gpu")).toThrow("device");
    }));
});

describe("values", () => {
  test("go in and come out by type, shape and byte length", () =>
    scoped((own) => {
      const x = own(addon.from(Float32Array.of(0, 1.5, -2), [3, 1], float32, "cpu", float64));
      expect(describeMeta()).toEqual([x, float64, 2, 3, 1]);
      expect([...new Float64Array(addon.read(x))]).toEqual([0, 1.5, -2]);
      expect([...new Int32Array(addon.read(x, int32))]).toEqual([0, 1, -2]);
      expect([...new Uint8Array(addon.read(x, bool))]).toEqual([0, 1, 1]);
      const truths = own(addon.from(Uint8Array.of(0, 2, 255), [3], uint8, "cpu", bool));
      expect([...new Uint8Array(addon.read(truths))]).toEqual([0, 1, 1]);
      const view = new DataView(Float32Array.of(7, 8).buffer, 4);
      expect(floats(own(addon.from(view, [1], float32, "cpu")))).toEqual([8]);
      expect(
        floats(own(addon.from(new Float32Array(8).fill(3).subarray(2, 4), [2], float32, "cpu"))),
      ).toEqual([3, 3]);
    }));

  test("reading follows the axes, whatever the strides, and ignores lazy conjugation", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4, 5, 6], [2, 3]));
      expect(floats(own(addon.call(op("aten::permute"), x, [1, 0])))).toEqual([1, 4, 2, 5, 3, 6]);
      expect(floats(own(addon.call(op("aten::expand"), own(vector([9])), [3])))).toEqual([9, 9, 9]);
      const z = own(addon.from(Float32Array.of(1, 2), [1], ScalarType.complex64, "cpu"));
      const conjugate = own(addon.call(op("aten::conj"), z));
      expect([...new Float32Array(addon.read(conjugate))]).toEqual([1, -2]);
    }));

  test("tensors without elements", () =>
    scoped((own) => {
      const empty = own(addon.from(new Float32Array(0), [0, 3], float32, "cpu"));
      expect(describeMeta()).toEqual([empty, float32, 2, 0, 3]);
      expect(addon.read(empty).byteLength).toBe(0);
      expect(floats(own(addon.call(op("aten::sum"), empty)))).toEqual([0]);
    }));

  test("wrong arguments are refused", () => {
    const data = new Float32Array(3);
    expect(() => addon.from(data, [2, 2], float32, "cpu")).toThrow(
      "bridge.from: argument `data` must have the 16 bytes of its shape; got 12",
    );
    expect(() => addon.from(data, [-3], float32, "cpu")).toThrow(
      "argument `shape` must hold sizes ≥ 0; got -3",
    );
    expect(() => addon.from(data, [2 ** 40, 2 ** 40], float32, "cpu")).toThrow("too many elements");
    expect(() => addon.from(data, [3], 99, "cpu")).toThrow(
      "argument `scalarType` must be the number of an element type",
    );
    expect(() => addon.from([1] as unknown as Float32Array, [1], float32, "cpu")).toThrow("typed array");
    expect(() => addon.from(data, [3], float32, "nowhere")).toThrow("device");
  });
});

describe("handles", () => {
  test("retain gives a second one on the same tensor, detach another tensor on its storage", () =>
    scoped((own) => {
      const x = vector([1, 2]);
      const same = own(addon.retain(x));
      const detached = own(addon.detach(x));
      expect(new Set([x, same, detached]).size).toBe(3);
      addon.callVoid(op("aten::add_", "Scalar"), x, 1);
      addon.free(x);
      expect(floats(same)).toEqual([2, 3]);
      expect(floats(detached)).toEqual([2, 3]);
    }));

  test("exclusive tells whether a tensor may be written in place", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4], [2, 2]));
      expect(addon.exclusive(x)).toBe(true);
      const others = [addon.retain(x), addon.detach(x), addon.call(op("aten::reshape"), x, [4]) as Handle];
      for (const other of others) {
        expect(addon.exclusive(x)).toBe(false);
        expect(addon.exclusive(other)).toBe(false);
      }
      for (const other of others) addon.free(other);
      expect(addon.exclusive(x)).toBe(true);
      addon.callVoid(op("aten::t_"), x);
      expect(addon.exclusive(x)).toBe(false);
    }));

  test("exclusive takes several at once", () =>
    scoped((own) => {
      const [x, y] = [own(vector([1])), own(vector([2]))];
      expect(addon.exclusive(Int32Array.of())).toBe(true);
      expect(addon.exclusive(Int32Array.of(x, y))).toBe(true);
      const view = addon.detach(y);
      expect(addon.exclusive(Int32Array.of(x, y))).toBe(false);
      expect(addon.exclusive(Int32Array.of(x))).toBe(true);
      addon.free(view);
      expect(() => addon.exclusive(Int32Array.of(x, view))).toThrow("must be live tensor handles");
    }));

  test("info fills meta", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3], [1, 3, 1]));
      own(vector([1]));
      addon.info(x);
      expect([...addon.meta.subarray(0, 7)]).toEqual([1, x, float32, 3, 1, 3, 1]);
    }));

  test("memory counts handles, and storages once", () =>
    scoped((own) => {
      const before = addon.memory();
      const x = own(vector(new Array<number>(100).fill(1)));
      own(addon.call(op("aten::reshape"), x, [10, 10]));
      const after = addon.memory();
      expect(after.handles - before.handles).toBe(2);
      expect(after.bytes - before.bytes).toBe(400);
    }));

  test("on the CPU the allocator's bytes and their peak are counted, in every thread and inside autograd graphs", () =>
    scoped((own) => {
      const bytes = 2 ** 20;
      const before = addon.memory("cpu");
      expect(before).toMatchObject({ reserved: null, total: null });
      const x = own(addon.call(op("aten::zeros"), [bytes / 4]));
      addon.requiresGrad(x, true);
      addon.gradMode(true);
      const squared = addon.call(op("aten::exp"), x) as Handle;
      const sum = own(addon.call(op("aten::sum"), squared));
      addon.gradMode(false);
      addon.free(squared);
      const held = addon.memory("cpu").allocated - before.allocated;
      expect(held).toBeGreaterThanOrEqual(2 * bytes);
      expect(held).toBeLessThan(2.1 * bytes);
      addon.resetPeakMemory("cpu");
      addon.free(addon.call(op("aten::zeros"), [bytes]) as Handle);
      const after = addon.memory("cpu");
      expect(after.peak - after.allocated).toBeGreaterThanOrEqual(4 * bytes);
      addon.resetPeakMemory("cpu");
      expect(addon.memory("cpu").peak).toBe(after.allocated);
      expect(floats(sum)).toEqual([bytes / 4]);
    }));

  test("memory of the CPU that no tensor uses goes back to the system", () => {
    // Blocks below the size at which the C library asks the system for each.
    const blocks = Array.from({ length: 2_000 }, () => addon.call(op("aten::ones"), [2 ** 14]) as Handle);
    const last = addon.call(op("aten::ones"), [2 ** 14]) as Handle; // keeps the heap's end in use
    for (const block of blocks) addon.free(block);
    const before = process.memoryUsage.rss();
    addon.emptyCache("cpu");
    expect(before - process.memoryUsage.rss()).toBeGreaterThan(2 ** 26);
    addon.free(last);
  });

  test("an error that JavaScript explains is thrown in place of PyTorch's", () => {
    const own = openAddon(fileURLToPath(new URL("../../native/build/", import.meta.url)));
    try {
      own.onError((error) => new RangeError("explained", { cause: error }));
      expect(() => own.op("aten::nothing")).toThrow(new RangeError("explained"));
      own.onError(() => {
        throw new TypeError("while explaining");
      });
      expect(() => own.op("aten::nothing")).toThrow(new TypeError("while explaining"));
      expect(() => own.onError("x" as never)).toThrow(new TypeError("while explaining"));
    } finally {
      openAddon(fileURLToPath(new URL("../../native/build/", import.meta.url)));
    }
    expect(() => own.op("aten::nothing")).toThrow("Could not find schema for aten::nothing");
    expect(() => own.onError("x" as never)).toThrow("bridge.onError: argument `explain` must be a function");
  });

  test("an operator that fails leaves no handle behind", () =>
    scoped((own) => {
      const x = own(vector([1, 2]));
      const before = addon.live();
      for (let i = 0; i < 100; i++) expect(() => addon.call(op("aten::mm"), x, x)).toThrow();
      expect(addon.live()).toBe(before);
    }));
});

describe("autograd", () => {
  const square = op("aten::square");
  const sum = op("aten::sum");

  test("grad differentiates what was recorded, and only that", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3]));
      expect(addon.requiresGrad(x)).toBe(false);
      expect(addon.requiresGrad(x, true)).toBe(true);
      const unrecorded = own(addon.call(sum, own(addon.call(square, x))));
      expect(addon.requiresGrad(unrecorded)).toBe(false);
      expect(() => addon.grad([unrecorded], [x], null, false, false, false)).toThrow("does not require grad");
      expect(addon.gradMode(true)).toBe(false);
      const loss = own(addon.call(sum, own(addon.call(square, x))));
      expect(addon.gradMode(false)).toBe(true);
      const [gradient] = addon.grad([loss], [x], null, false, false, false);
      expect(describeMeta()).toEqual([gradient, float32, 1, 3]);
      expect(floats(own(gradient))).toEqual([2, 4, 6]);
      expect(() => addon.grad([loss], [x], null, false, false, false)).toThrow(
        "backward through the graph a second time",
      );
    }));

  test("unused inputs give null where allowed", () =>
    scoped((own) => {
      const [x, y] = [own(vector([1])), own(vector([1]))];
      for (const leaf of [x, y]) addon.requiresGrad(leaf, true);
      addon.gradMode(true);
      const loss = own(addon.call(square, x));
      addon.gradMode(false);
      const [used, unused] = addon.grad([loss], [x, y], [own(vector([0.5]))], true, false, true);
      expect(floats(own(used))).toEqual([1]);
      expect(unused).toBeNull();
      expect(addon.meta[0]).toBe(1);
      expect(() => addon.grad([loss], [y], null, true, false, false)).toThrow("have been used in the graph");
    }));

  test("createGraph gives second derivatives", () =>
    scoped((own) => {
      const x = own(vector([3]));
      addon.requiresGrad(x, true);
      addon.gradMode(true);
      const cube = own(addon.call(op("aten::pow", "Tensor_Scalar"), x, 3));
      const [first] = addon.grad([cube], [x], null, true, true, false);
      own(first);
      addon.gradMode(false);
      const [second] = addon.grad([first as Handle], [x], null, false, false, false);
      expect(floats(own(second))).toEqual([18]);
    }));
});

describe("settings", () => {
  test("threads", () => {
    const before = addon.threads();
    expect(addon.threads(1)).toBe(1);
    expect(addon.threads(before)).toBe(before);
    expect(() => addon.threads(0)).toThrow(
      "bridge.threads: argument `count` must be between 1 and 4096; got 0",
    );
  });

  test("the same seed gives the same numbers", () =>
    scoped((own) => {
      const draw = (seed: number): number[] => {
        addon.seed(seed);
        return floats(own(addon.call(op("aten::randn"), [4])));
      };
      expect(draw(1)).toEqual(draw(1));
      expect(draw(2)).not.toEqual(draw(1));
    }));

  test("deterministic mode refuses an operator that has no deterministic form", () =>
    scoped((own) => {
      const x = own(vector([1, 2, 3, 4]));
      const put = (): unknown => {
        const index = own(addon.from(BigInt64Array.of(0n), [1], int64, "cpu"));
        return own(addon.call(op("aten::put"), x, index, own(vector([1])), false));
      };
      put();
      expect(addon.deterministic()).toBe(false);
      expect(addon.deterministic(true)).toBe(true);
      try {
        expect(put).toThrow("deterministic");
      } finally {
        expect(addon.deterministic(false)).toBe(false);
      }
      put();
    }));

  test("deterministic mode prepares cuBLAS, from a worker too, unless the user has", () => {
    const work = `require(${JSON.stringify(addonPath)}).deterministic(true);`;
    const show = `console.log(process.env.CUBLAS_WORKSPACE_CONFIG)`;
    const inWorker = `new (require("node:worker_threads").Worker)(${JSON.stringify(work)}, { eval: true }).on("exit", () => ${show})`;
    const run = (script: string, value?: string): string =>
      execFileSync(process.execPath, ["-e", script], {
        encoding: "utf8",
        env: { ...process.env, CUBLAS_WORKSPACE_CONFIG: value },
      }).trim();
    expect(run(show)).toBe("undefined");
    expect(run(work + show)).toBe(":4096:8");
    expect(run(inWorker)).toBe(":4096:8");
    expect(run(work + show, ":16:8")).toBe(":16:8");
  });

  test("tf32 and sync work without an accelerator", () => {
    addon.tf32(true);
    addon.tf32(false);
    addon.sync();
    addon.resetPeakMemory();
    expect(() => addon.tf32(1 as unknown as boolean)).toThrow(
      "bridge.tf32: argument `on` must be a boolean; got 1",
    );
  });

  test("load opens a library of operators, or says what dlopen says", () => {
    expect(() => addon.load("/nowhere/libnothing.so")).toThrow("cannot open shared object file");
    addon.load(join(addonPath, "../libkatlab_ops.so"));
    expect(addon.schema(op("katlab::rational"))).toContain("Tensor x, Tensor numerator, Tensor denominator");
  });
});

describe("threads of JavaScript", () => {
  const program = `
    const { parentPort, workerData: [path, seed] } = require("node:worker_threads");
    const addon = require(path);
    const op = (name, overload) => addon.op("aten::" + name, overload);
    const start = addon.live();
    const gradModeAtStart = addon.gradMode(false);
    const x = addon.from(Float32Array.of(seed, 2), [2], 6, "cpu");
    addon.requiresGrad(x, true);
    addon.gradMode(true);
    const loss = addon.call(op("sum"), addon.call(op("square"), x));
    const [gradient] = addon.grad([loss], [x], null, false, false, false);
    let error;
    try { addon.call(op("mm"), x, x); } catch (e) { error = e.message; }
    parentPort.postMessage({ start, gradModeAtStart, error, gradient: [...new Float32Array(addon.read(gradient))] });
  `;

  test("have tables of their own and end cleanly with live handles", async () => {
    const mine = vector([5]);
    const results = await Promise.all(
      [1, 2, 3].map(
        (seed) =>
          new Promise<unknown>((resolve, reject) => {
            const worker = new Worker(program, { eval: true, workerData: [addonPath, seed] });
            let message: unknown;
            worker
              .on("message", (value) => {
                message = value as unknown;
              })
              .on("error", reject);
            worker.on("exit", (code) => {
              if (code === 0) resolve(message);
              else reject(new Error(`exit code ${code}`));
            });
          }),
      ),
    );
    results.forEach((result, i) =>
      expect(result).toEqual({
        start: 0,
        gradModeAtStart: false,
        error: expect.stringContaining("self must be a matrix") as string,
        gradient: [2 * (i + 1), 4],
      }),
    );
    expect(floats(mine)).toEqual([5]);
    addon.free(mine);
  });

  test("a process with live handles ends without a word", () => {
    const script = `const a = require(${JSON.stringify(addonPath)}); a.from(new Float32Array(4), [4], 6, "cpu");`;
    for (const end of ["", "process.exit(0)"]) {
      expect(execFileSync(process.execPath, ["-e", script + end], { encoding: "utf8", stdio: "pipe" })).toBe(
        "",
      );
    }
  });
});

describe("finding the build", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "katlab-build-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const writeBuild = (record: Partial<BuildRecord>, installed: string | undefined): void => {
    const torchDir = join(folder, "torch");
    mkdirSync(torchDir, { recursive: true });
    if (installed !== undefined)
      writeFileSync(join(torchDir, "version.py"), `__version__ = '${installed}'\n`);
    writeFileSync(join(folder, "build.json"), JSON.stringify({ torchDir, ...record }));
  };
  const reason = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      expect(error).toBeInstanceOf(KatlabError);
      expect((error as KatlabError).code).toBe("unavailable");
      return (error as KatlabError).message.replaceAll(folder, "<build>");
    }
    return "no error";
  };

  test("no build", () => {
    expect(reason(() => readBuild(folder))).toMatchInlineSnapshot(
      `"torch: the native part must be built; got no build. Run \`npm run build\` to build the native part; the wasm engine works without it."`,
    );
  });

  test("built for another torch than there is now", () => {
    writeFileSync(join(folder, "bridge.node"), "");
    writeBuild({ torchVersion: "2.13.0+cpu" }, "2.12.1+cpu");
    expect(reason(() => openAddon(folder))).toMatchInlineSnapshot(
      `"torch: must be 2.13.0+cpu in <build>/torch, for which the native part was built; got 2.12.1+cpu. Run \`npm run build\` to build the native part; the wasm engine works without it."`,
    );
  });

  test("torch is gone", () => {
    writeFileSync(join(folder, "bridge.node"), "");
    writeBuild({ torchVersion: "2.13.0+cpu" }, undefined);
    expect(reason(() => openAddon(folder))).toMatchInlineSnapshot(
      `"torch: must be 2.13.0+cpu in <build>/torch, for which the native part was built; got none there. Run \`npm run build\` to build the native part; the wasm engine works without it."`,
    );
  });

  test("a record that cannot be read", () => {
    writeFileSync(join(folder, "bridge.node"), "");
    writeFileSync(join(folder, "build.json"), "{");
    expect(reason(() => openAddon(folder))).toMatchInlineSnapshot(
      `"torch: <build>/build.json must be a build record; got Expected property name or '}' in JSON at position 1. Run \`npm run build\` to build the native part; the wasm engine works without it."`,
    );
  });

  test("a library that does not load", () => {
    writeFileSync(join(folder, "bridge.node"), "no library");
    writeBuild({ torchVersion: "2.13.0+cpu" }, "2.13.0+cpu");
    expect(reason(() => openAddon(folder))).toMatchInlineSnapshot(
      `"torch: bridge.node must load; got <build>/bridge.node: file too short. Run \`npm run build\` to build the native part; the wasm engine works without it."`,
    );
  });

  test("the status is the record, or the reason", () => {
    const status = addonStatus();
    expect(status).toMatchObject({
      available: true,
      torchVersion: expect.stringMatching(/^2\.1\d/) as string,
    });
    const before = process.env["KATLAB_NATIVE_BUILD"];
    process.env["KATLAB_NATIVE_BUILD"] = folder;
    try {
      const missing = addonStatus();
      expect(missing.available).toBe(false);
      if (!missing.available) expect(missing.reason.message).toContain("no build");
    } finally {
      if (before === undefined) delete process.env["KATLAB_NATIVE_BUILD"];
      else process.env["KATLAB_NATIVE_BUILD"] = before;
    }
  });

  test("a copied build still works: it finds its torch by the recorded path", () => {
    cpSync(join(addonPath, ".."), folder, { recursive: true });
    const script = `console.log(require(${JSON.stringify(join(folder, "bridge.node"))}).live())`;
    expect(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim()).toBe("0");
  });
});
