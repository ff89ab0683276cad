import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import type { Dataset, Split } from "../data/dataset.js";
import { loadedBatches } from "../data/loadedBatches.js";
import { mustBe } from "../errors.js";
import type { VisionTransformer } from "../models/visionTransformer.js";
import type { Recipe } from "./recipe.js";

/** What makes a run this run: plain data, equal for runs that would give the same weights. */
export interface RunIdentity {
  readonly model: Readonly<Record<string, unknown>>;
  readonly recipe: Recipe;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Images whose pixels are compared; all labels are. */
const sampled = 16;

/** Tells a run by its model's configuration and parameters, its recipe, and its data's labels and a sample of its pixels. */
export async function identifyRun(
  model: VisionTransformer,
  recipe: Recipe,
  data: Dataset,
): Promise<RunIdentity> {
  const parameters = [...model.namedParameters()].map(([name, { shape }]) => [name, shape] as const);
  const identity = {
    model: { ...model.config, parameters: Object.fromEntries(parameters) },
    recipe,
    data: {
      name: data.name,
      classes: data.classes,
      train: await identifySplit(data.train),
      test: await identifySplit(data.test),
      ...(data.validation && { validation: await identifySplit(data.validation) }),
    },
  };
  return JSON.parse(JSON.stringify(identity)) as RunIdentity; // functions are not data
}

async function identifySplit(split: Split): Promise<Readonly<Record<string, unknown>>> {
  const { size, shape, labels } = split;
  const hash = createHash("sha256").update(bytesOf(labels));
  const count = Math.min(sampled, size);
  const spread = Int32Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
  for await (const batch of loadedBatches(split, [spread])) {
    const { images, labels: own } = batch.split.batch(batch.indices);
    hash.update(bytesOf(images.dataSync<"float32">()));
    tf.dispose([images, own]);
  }
  return { size, shape, sha256: hash.digest("hex") };
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * @param subject what is continued, for the message
 * @throws KatlabError `invalid` that names the first thing that differs
 */
export function mustBeSameRun(subject: string, stored: RunIdentity, own: RunIdentity): void {
  for (const part of ["model", "recipe", "data"] as const) {
    const difference = firstDifference(part, stored[part], own[part]);
    if (difference === undefined) continue;
    const [place, there, here] = difference;
    throw mustBe({
      subject,
      must: `${place} must be ${there}, as in the run that wrote it`,
      got: here,
      remedy: "Train with the same model, recipe and data, or another checkpoint folder.",
    });
  }
}

function firstDifference(place: string, there: unknown, here: unknown): [string, string, string] | undefined {
  if (isRecord(there) && isRecord(here)) {
    for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
      const difference = firstDifference(`${place}.${key}`, there[key], here[key]);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  const [left, right] = [JSON.stringify(there), JSON.stringify(here)] as (string | undefined)[];
  return left === right ? undefined : [place, left ?? "absent", right ?? "absent"];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
