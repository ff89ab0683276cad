import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test, vi } from "vitest";
import { describeEngine, mustHaveEngine, useEngine } from "../src/engine.js";
import { createModel } from "../src/models/registry.js";

// As on a machine where the native part has not been built; set before anything loads it.
process.env["KATLAB_NATIVE_BUILD"] = join(import.meta.dirname, "nowhere");
vi.stubEnv("KATLAB_ENGINE", "");

describe("before an engine is chosen", () => {
  test("describeEngine, and whatever makes tensors, says what to do", () => {
    const must =
      "an engine must be chosen before tensors are made; got none. Call await kl.useEngine() first.";
    expect(() => describeEngine()).toThrow(`describeEngine: ${must}`);
    expect(() => mustHaveEngine("train")).toThrow(`train: ${must}`);
    const model = createModel("kat_test_patch7_28");
    expect(() => model.weights()).toThrow(`patch_embed.proj.weight: ${must}`);
  });

  test("models can be made and described", () => {
    expect(createModel("kat_test_patch7_28").describe().parameters).toBeGreaterThan(0);
  });
});

describe("without torch", () => {
  test("wasm is chosen, and the reason kept", async () => {
    const description = await useEngine();
    expect(description.engine).toBe("wasm");
    expect(description.skipped.map(({ engine }) => engine)).toEqual(["torch", "tensorflow"]);
    expect(description.skipped[0].reason).toMatch(
      /^torch: the native part must be built; got no build\. Run `npm run build`/,
    );
    expect(String(description)).toContain("\nskipped torch: the native part must be built");
    expect(tf.getBackend()).toBe("wasm");
  });

  test("torch by name is refused", async () => {
    await expect(useEngine({ engine: "torch" })).rejects.toMatchObject({ code: "unavailable" });
    expect(describeEngine().engine).toBe("wasm");
  });

  test("what none can do is refused with every reason", async () => {
    const error = (await useEngine({ precision: "float64" }).catch((fault: unknown) => fault)) as Error;
    expect(error).toMatchObject({ code: "unavailable" });
    for (const engine of ["torch", "tensorflow", "wasm", "cpu"])
      expect(error.message).toContain(`${engine}: `);
  });
});
