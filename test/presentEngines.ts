import { describe, test } from "vitest";
import { type EngineName, type EngineOptions, useEngine } from "../src/engine.js";

/** An engine a suite runs on. */
export interface TestedEngine {
  title: string;
  options: EngineOptions & { engine: EngineName; precision?: "float32" | "float64" };
}

const engines: TestedEngine[] = [
  { title: "cpu", options: { engine: "cpu" } },
  { title: "wasm", options: { engine: "wasm" } },
  { title: "torch", options: { engine: "torch", device: "cpu" } },
  { title: "torch in float64", options: { engine: "torch", device: "cpu", precision: "float64" } },
  { title: "tensorflow", options: { engine: "tensorflow" } },
];

const reasons = new Map<TestedEngine, string>();
for (const engine of engines) {
  await useEngine(engine.options).catch((error: unknown) => reasons.set(engine, String(error)));
}

/** Runs a suite on every engine there is; those that are missing show as skipped, with the reason. */
export function onEveryEngine(subject: string, suite: (engine: TestedEngine) => void): void {
  for (const engine of engines) {
    describe(`${subject} on ${engine.title}`, () => {
      const reason = reasons.get(engine);
      if (reason === undefined) suite(engine);
      else test.skip(reason, () => undefined);
    });
  }
}
