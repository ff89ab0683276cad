import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import { loadAddon } from "../../src/torch/addon.js";
import { registerTorchBackend, torchValueAndGrads } from "../../src/torch/backend.js";
import { fusedAdamW } from "../../src/torch/adamw.js";
import { explainTorchError } from "../../src/torch/torchErrors.js";

const addon = loadAddon();

beforeAll(async () => {
  await tf.setBackend("torch");
});

let before = { numTensors: 0, handles: 0 };
beforeEach(() => {
  before = { numTensors: tf.memory().numTensors, handles: addon.live() };
});
afterEach(() => {
  expect({ numTensors: tf.memory().numTensors, handles: addon.live() }).toEqual(before);
});

function thrown(f: () => unknown): unknown {
  try {
    f();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A GPU for errors that only a GPU has. */
const gpuMemory = () => ({ allocated: 70 * 2 ** 30, reserved: 71.5 * 2 ** 30, total: 80 * 2 ** 30 });

describe("out of memory", () => {
  test("on the CPU says what was asked, what is there and what to try, with PyTorch's text as the cause", () => {
    const askTooMuch = (): unknown => addon.call(addon.op("aten::zeros"), [2 ** 48]);
    const error = thrown(askTooMuch) as KatlabError;
    expect(error).toBeInstanceOf(KatlabError);
    expect(error.code).toBe("out-of-memory");
    expect(error.message).toMatch(
      /^torch: 1\.00 PiB more must be free on the CPU; got .+ in tensors, of .+ [GT]iB\. Use a smaller batch; free tensors/,
    );
    expect(error.stack).toContain("askTooMuch");
    expect(error.cause).toMatchObject({
      code: "TORCH",
      message: expect.stringContaining("you tried to allocate 1125899906842624 bytes") as string,
    });
  });

  test("on a GPU also says what torch keeps, and names bfloat16", () => {
    const text =
      "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 1 has a total capacity of 79.11 GiB of which 3.75 GiB is free.";
    const error = explainTorchError(new Error(text), gpuMemory);
    expect(error.message).toBe(
      "torch: 20.00 GiB more must be free on cuda:1; got 70.0 GiB in tensors, 1.50 GiB kept for later ones, of 80.0 GiB. " +
        "Use a smaller batch; free tensors by tf.tidy or dispose (kl.findLeaks names those left over); " +
        'call emptyCache() of what useEngine returns; or use precision "bfloat16".',
    );
    expect((error.cause as Error).message).toBe(text);
  });

  test("of CUDA's libraries is recognised", () => {
    const text = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`";
    expect(explainTorchError(new Error(text), gpuMemory).message).toMatch(
      /^torch: memory for CUDA's libraries must be free on cuda; got 70\.0 GiB in tensors/,
    );
  });

  const noGpu = addon.accelerator() === null ? " (this torch finds no GPU)" : "";
  test.skipIf(noGpu)(
    `on a real GPU it is the same, and an emptied cache goes back to the driver${noGpu}`,
    async () => {
      registerTorchBackend({ name: "torch-gpu", device: "cuda:0" });
      await tf.setBackend("torch-gpu");
      const small = tf.ones([2 ** 20]);
      const total = addon.memory("cuda:0").total ?? 0;
      const error = thrown(() =>
        tf.tidy(() => tf.fill([Math.ceil(total / 2 ** 22), 2 ** 20], 1)),
      ) as KatlabError;
      expect(error.code).toBe("out-of-memory");
      expect(error.message).toMatch(
        /^torch: .+ GiB more must be free on cuda:0; got 4\.00 MiB in tensors, .+ kept for later/,
      );
      expect(small.dataSync()[2 ** 20 - 1]).toBe(1);
      tf.fill([2 ** 24], 1).dispose();
      const kept = addon.memory("cuda:0");
      addon.emptyCache("cuda:0");
      const emptied = addon.memory("cuda:0");
      expect(Number(kept.reserved) - Number(emptied.reserved)).toBeGreaterThanOrEqual(2 ** 26);
      expect(emptied.allocated).toBe(kept.allocated);
      small.dispose();
      tf.removeBackend("torch-gpu");
      await tf.setBackend("torch");
    },
  );

  test("in a tfjs operation leaves nothing behind", () => {
    const row = tf.ones([1, 2 ** 24]);
    const column = tf.ones([2 ** 24, 1]);
    expect(() => tf.add(row, column)).toThrow("torch: 1.00 PiB more must be free on the CPU");
    expect(() => tf.tidy(() => tf.sum(tf.mul(tf.square(row), column)))).toThrow(KatlabError);
    tf.dispose([row, column]);
  });

  test("for values that are read is an error too", () => {
    const one = tf.scalar(1);
    const view: tf.Tensor = tf.engine().runKernel("BroadcastTo", { x: one }, { shape: [2 ** 24, 2 ** 24] });
    const error = thrown(() => view.dataSync()) as KatlabError;
    expect(error).toMatchObject({
      code: "out-of-memory",
      message:
        "torch: values that are read must fit into an array of JavaScript's; got 1.00 PiB. Reduce them on the engine " +
        "first, or read them by parts with tf.slice.",
    });
    tf.dispose([one, view]);
  });

  /** A contrastive loss: every example against every other, so its memory grows with the square of the batch. */
  function contrastiveStep(
    weights: tf.Variable,
    state: Record<"mean" | "variance" | "step", tf.Tensor>,
    batch: number,
  ) {
    const images = tf.ones([batch, 1]);
    try {
      const { value, grads } = torchValueAndGrads(() => {
        const features = tf.matMul(images, weights);
        const similarity = tf.sub(features, tf.transpose(features));
        return tf.mean(tf.square(tf.sub(tf.add(similarity, tf.mean(weights)), 1)));
      }, [weights]);
      fusedAdamW({
        ...{ parameters: [weights], gradients: grads, means: [state.mean], variances: [state.variance] },
        ...{
          steps: [state.step],
          learningRate: 0.1,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0,
        },
      });
      const loss = value.dataSync()[0];
      tf.dispose([value, grads]);
      return loss;
    } finally {
      images.dispose();
    }
  }

  test("inside a training step changes nothing, and training goes on at a smaller batch", () => {
    const weights = tf.tidy(() => tf.variable(tf.zeros([1, 1])));
    const state = { mean: tf.zeros([1, 1]), variance: tf.zeros([1, 1]), step: tf.scalar(0) };
    const first = contrastiveStep(weights, state, 64);
    const held = {
      ...{ weights: [...weights.dataSync()], step: state.step.dataSync()[0] },
      ...{ tensors: tf.memory().numTensors, handles: addon.live() },
    };
    const error = thrown(() => contrastiveStep(weights, state, 2 ** 24)) as KatlabError;
    expect(error.code).toBe("out-of-memory");
    expect({
      ...{ weights: [...weights.dataSync()], step: state.step.dataSync()[0] },
      ...{ tensors: tf.memory().numTensors, handles: addon.live() },
    }).toEqual(held);
    for (let step = 0; step < 20; step++) contrastiveStep(weights, state, 32);
    expect(contrastiveStep(weights, state, 32)).toBeLessThan(first / 10);
    tf.dispose([weights, ...Object.values(state)]);
  });

  test("in the backward pass too", () => {
    const weight = tf.tidy(() => tf.variable(tf.ones([1, 1])));
    // A view takes no memory, but the gradient of a part of it has the size of the whole.
    const loss = (): tf.Scalar => {
      const view: tf.Tensor = tf
        .engine()
        .runKernel("BroadcastTo", { x: weight }, { shape: [2 ** 24, 2 ** 24] });
      return tf.sum(tf.slice(view, [0, 0], [1, 1]));
    };
    expect(tf.tidy(() => loss().dataSync()[0])).toBe(1);
    expect(thrown(() => torchValueAndGrads(loss, [weight]))).toMatchObject({ code: "out-of-memory" });
    const { value, grads } = torchValueAndGrads(() => tf.sum(tf.square(weight)), [weight]);
    expect([value.dataSync()[0], grads[0].dataSync()[0]]).toEqual([1, 2]);
    tf.dispose([weight, value, grads]);
  });
});

describe("deterministic mode", () => {
  test("names an operator that has no deterministic implementation", () => {
    const handles = [
      addon.from(new Float32Array(4), [4], 6, "cpu"),
      addon.from(BigInt64Array.of(0n), [1], 4, "cpu"),
      addon.from(new Float32Array(1), [1], 6, "cpu"),
    ];
    addon.deterministic(true);
    try {
      const error = thrown(() => addon.callVoid(addon.op("aten::put_"), ...handles, false)) as KatlabError;
      expect(error).toBeInstanceOf(KatlabError);
      expect(error.message).toBe(
        "torch: put_: must have a deterministic implementation while the engine is deterministic; got none on this " +
          "device. Use other operators, or call useEngine without deterministic.",
      );
      expect((error.cause as Error).message).toContain("torch.use_deterministic_algorithms(True)");
    } finally {
      addon.deterministic(false);
    }
    for (const handle of handles) addon.free(handle);
  });

  test("explains what torch says of cuBLAS", () => {
    const text =
      "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or …, but this operation " +
      "is not deterministic because it uses CuBLAS and you have CUDA >= 10.2. … CUBLAS_WORKSPACE_CONFIG=:4096:8 …";
    expect(explainTorchError(new Error(text), gpuMemory).message).toMatch(
      /^torch: matrix products: cuBLAS must have started in deterministic mode .+ first call of the program/,
    );
  });
});

test("other errors stay PyTorch's", () => {
  const error = new Error("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
  expect(explainTorchError(error, gpuMemory)).toBe(error);
});
