import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { describeEngine, mustHaveEngine, useEngine } from "../src/engine.js";
import { KatlabError } from "../src/errors.js";
import { onEveryEngine } from "./presentEngines.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

onEveryEngine("useEngine", ({ options }) => {
  test("sets, describes and returns the engine", async () => {
    const description = await useEngine(options);
    expect(description).toEqual(describeEngine());
    expect(description).toMatchObject({
      engine: options.engine,
      device: "cpu",
      precision: options.precision ?? "float32",
      skipped: [],
    });
    expect(description.deviceName).not.toBe("");
    expect(description.versions["node"]).toBe(process.versions.node);
    expect([...tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1)).dataSync()]).toEqual([2, 3]);
  });

  test("is plain data that prints and displays itself", async () => {
    const description = await useEngine(options);
    expect(structuredClone(description)).toMatchObject({ engine: description.engine, skipped: [] });
    expect(String(description)).toMatch(new RegExp(`^${options.engine}.* on cpu \\(.+\\), .*float(32|64)$`));
    const displayed = description as unknown as Record<symbol, () => object>;
    expect(displayed[Symbol.for("Jupyter.display")]()).toEqual({
      data: { "text/plain": String(description) },
    });
  });

  test("tells its memory, and keeps silent on what it does not know", async () => {
    const description = await useEngine(options);
    const before = description.memory();
    const x = tf.tidy(() => tf.add(tf.ones([2 ** 18]), 1));
    const after = description.memory();
    expect(after.tensors - before.tensors).toBe(1);
    expect(after.handles - before.handles).toBe(1);
    expect(after.total).toBeGreaterThan(2 ** 28);
    const { engine } = options;
    if (engine === "torch") {
      const bytes = 2 ** 18 * (options.precision === "float64" ? 8 : 4);
      expect(Number(after.allocated) - Number(before.allocated)).toBeGreaterThanOrEqual(bytes);
      expect(after.peak).toBeGreaterThanOrEqual(Number(after.allocated) + bytes);
    } else {
      expect([after.allocated, after.peak]).toEqual([null, null]);
    }
    expect(after.reserved === null).toBe(engine !== "wasm");
    x.dispose();
    expect(description.memory()).toMatchObject({ tensors: before.tensors, handles: before.handles });
  });

  test("the peak starts anew, and an emptied cache changes no tensor", async () => {
    const description = await useEngine(options);
    const x = tf.tensor1d([1, 2]);
    tf.ones([2 ** 18]).dispose();
    description.resetPeakMemory();
    description.emptyCache();
    const { peak, allocated } = description.memory();
    expect(peak).toBe(allocated);
    expect([...x.dataSync()]).toEqual([1, 2]);
    x.dispose();
  });

  test("memory is plain data that prints and displays itself", async () => {
    const memory = (await useEngine(options)).memory();
    expect(structuredClone(memory)).toMatchObject(JSON.parse(JSON.stringify(memory)) as object);
    expect(String(memory)).toMatch(
      /^memory on cpu: (allocated .+, peak .+, )?(reserved .+, )?total .+ GiB, \d+ tensors, \d+ handles$/,
    );
    const displayed = memory as unknown as Record<symbol, () => object>;
    expect(displayed[Symbol.for("Jupyter.display")]()).toEqual({ data: { "text/plain": String(memory) } });
  });

  test("is deterministic when that is asked for", async () => {
    const { engine } = options;
    expect(await useEngine(options)).toMatchObject({ deterministic: engine === "wasm" || engine === "cpu" });
    if (engine === "tensorflow") return;
    const description = await useEngine({ ...options, deterministic: true });
    expect(description.deterministic).toBe(true);
    expect(String(description).endsWith(", deterministic")).toBe(engine === "torch");
    await useEngine(options);
    expect(describeEngine().deterministic).toBe(engine !== "torch");
  });

  test("tensors of the engine before go on", async () => {
    await useEngine({ engine: "cpu" });
    const x = tf.tensor1d([1, 2]);
    await useEngine(options);
    expect([...tf.mul(x, 2).dataSync()]).toEqual([2, 4]);
    x.dispose();
  });
});

describe("useEngine", () => {
  test("takes the first that works, and says why not the ones before", async () => {
    const { engine, skipped } = await useEngine();
    const order = ["torch", "tensorflow", "wasm", "cpu"];
    expect(skipped.map((entry) => entry.engine)).toEqual(order.slice(0, order.indexOf(engine)));
  });

  test("KATLAB_ENGINE names the engine where the program names none", async () => {
    vi.stubEnv("KATLAB_ENGINE", "cpu");
    expect(await useEngine()).toMatchObject({ engine: "cpu" });
    expect(await useEngine({ engine: "wasm" })).toMatchObject({ engine: "wasm" });
    vi.stubEnv("KATLAB_ENGINE", "wasn");
    await expect(useEngine()).rejects.toThrow(
      'KATLAB_ENGINE: must be one of torch, tensorflow, wasm, cpu; got "wasn"',
    );
  });

  test("an engine that cannot do what is asked says so", async () => {
    const rejects = async (options: Parameters<typeof useEngine>[0], text: string): Promise<void> => {
      const error: unknown = await useEngine(options).catch((fault: unknown) => fault);
      expect(error).toBeInstanceOf(KatlabError);
      expect(error).toMatchObject({ code: "unavailable", message: expect.stringContaining(text) as string });
    };
    await rejects(
      { engine: "wasm", precision: "float64" },
      "wasm: precision must be float32: only torch has others; got float64.",
    );
    await rejects({ engine: "cpu", precision: "bfloat16" }, "cpu: precision must be float32");
    await rejects(
      { engine: "wasm", device: "cuda" },
      'wasm: device must be "cpu": this engine knows no other',
    );
    await rejects({ engine: "cpu", device: "cuda:0" }, "cpu: device");
    await rejects(
      { engine: "tensorflow", deterministic: true },
      "tensorflow: deterministic must be false: this engine does not promise it; got true.",
    );
    await rejects(
      { engine: "torch", device: "cuda:99" },
      'got "cuda:99". Leave device out to take the best there is.',
    );
  });

  test("checks its options", async () => {
    await expect(useEngine({ engine: "tourch" as "torch" })).rejects.toThrow('Did you mean "torch"?');
    await expect(useEngine({ threads: 0 })).rejects.toThrow("threads must be a whole number ≥ 1; got 0");
    await expect(useEngine({ device: "gpu" as "cpu" })).rejects.toThrow('device must be "cpu", "cuda"');
    await expect(useEngine({ precision: "bfloat" as "bfloat16" })).rejects.toThrow(
      'useEngine: precision: must be one of float64, float32, tf32, bfloat16; got "bfloat". Did you mean "bfloat16"?',
    );
  });

  test("the cpu engine prints no advertisement", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
    await useEngine({ engine: "cpu" });
    tf.zeros([1]).dispose();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("the wasm engine leaves faults of the process to the process", async () => {
    await useEngine({ engine: "wasm" });
    const throws = (listener: (...args: never[]) => void): boolean => String(listener).includes("throw");
    expect(process.listeners("uncaughtException").filter(throws)).toEqual([]);
    expect(process.listeners("unhandledRejection").filter(throws)).toEqual([]);
  });
});

describe("describeEngine", () => {
  test("knows an engine that tfjs was set to", async () => {
    await useEngine({ engine: "cpu" });
    await useEngine({ engine: "wasm" });
    await tf.setBackend("cpu");
    expect(describeEngine()).toMatchObject({ engine: "cpu", threads: 1 });
  });

  test("refuses a backend that is none of ours", async () => {
    tf.registerBackend("other", () => new tf.KernelBackend());
    await tf.setBackend("other");
    expect(() => describeEngine()).toThrow(
      /must compute with one of torch, tensorflow, wasm, cpu; got "other"/,
    );
    await tf.setBackend("cpu");
  });

  test("mustHaveEngine is content with any", () => {
    expect(() => mustHaveEngine("test")).not.toThrow();
  });
});
