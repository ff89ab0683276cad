// How far katlab's logits and gradients are from the truth, beside PyTorch's: models written in PyTorch from their formulas
// (test/python/models) and, where it can be imported, timm's own. The truth is PyTorch in float64.
//
//   node --import tsx bench/parity.ts [engine torch]
//
// Errors are the largest of a tensor as a share of its largest value; equal tensors of all blocks are added up.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { type EngineName, useEngine } from "../src/engine.js";
import { loadWeights } from "../src/io/checkpoint.js";
import { createModel } from "../src/models/registry.js";
import {
  apart,
  type Case,
  cases,
  computed,
  errorsByKind,
  imagesOf,
  largest,
  specification,
  valuesOf,
} from "../test/models/pytorchModels.js";

const [engine = "torch"] = process.argv.slice(2) as EngineName[];
const python = join(import.meta.dirname, "../.venv/bin/python");
const program = join(import.meta.dirname, "../test/python/models/parity.py");

function importable(name: string): boolean {
  try {
    execFileSync(python, ["-c", `import ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const timm: Readonly<Record<string, Case & { timm: string }>> = Object.fromEntries(
  (["vit_tiny_patch16_224", "deit_tiny_patch16_224", "vit_small_patch16_224"] as const).map((model) => [
    `timm's ${model}`,
    { model, options: {}, batch: 2, timm: model },
  ]),
);
const all: Readonly<Record<string, Case & { timm?: string }>> = {
  ...cases,
  ...(importable("timm") ? timm : {}),
};

const folder = mkdtempSync(join(tmpdir(), "katlab-parity-"));
try {
  const specs = Object.entries(all).map(([name, one]) => [
    name,
    { ...specification(one), ...(one.timm !== undefined && { timm: one.timm }) },
  ]);
  writeFileSync(join(folder, "specs.json"), JSON.stringify(Object.fromEntries(specs)));
  process.stdout.write(execFileSync(python, [program, "make", folder]));
  console.log(String(await useEngine({ engine, ...(engine === "torch" && { device: "cpu" }) })));
  const share = (value: number): string => value.toExponential(1);
  console.log(
    "| model | logits apart | logits | PyTorch's | by images | PyTorch's | worst weight | its ratio |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const [name, { model: modelName, options }] of Object.entries(all)) {
    const model = createModel(modelName, options);
    await loadWeights(model, join(folder, `${name}.safetensors`));
    const { images, labels } = await imagesOf(join(folder, `${name}.images.safetensors`));
    const ours = computed(model, images, labels);
    const plain = await valuesOf(join(folder, `${name}.float32.safetensors`));
    const truth = await valuesOf(join(folder, `${name}.float64.safetensors`));
    const [errors, allowed] = [errorsByKind(ours, truth), errorsByKind(plain, truth)];
    const weights = [...errors].filter(([kind]) => kind.startsWith("grad.") && kind !== "grad.images");
    const ratio = ([kind, error]: readonly [string, number]): number => error / (allowed.get(kind) ?? NaN);
    const worst = weights.reduce((most, one) => (ratio(one) > ratio(most) ? one : most));
    const of = (kind: string): string =>
      `${share(errors.get(kind) ?? NaN)} | ${share(allowed.get(kind) ?? NaN)}`;
    console.log(
      `| ${name} | ${share(apart(ours.logits, plain.logits) / largest(truth.logits))} | ${of("logits")} | ` +
        `${of("grad.images")} | ${worst[0].slice(5)}: ${share(worst[1])} | ${ratio(worst).toFixed(2)} |`,
    );
    tf.dispose([images, labels]);
    model.dispose();
  }
} finally {
  rmSync(folder, { recursive: true });
}
