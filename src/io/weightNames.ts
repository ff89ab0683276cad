import * as tf from "@tensorflow/tfjs-core";
import { mustBe } from "../errors.js";

/** Who named the weights of a vision transformer. KAT's released names are timm's with `mlp.act1` and `mlp.act2`. */
export type WeightNaming = "timm" | "huggingface";

/** How given weights differ from those a model has; all three empty: they fit. */
export interface WeightDifferences {
  /** Names the model has and the given weights lack. */
  readonly missing: readonly string[];
  /** Names the given weights have and the model lacks. */
  readonly unexpected: readonly string[];
  /** Names both have, with other shapes. */
  readonly mismatched: readonly MismatchedShape[];
}

/** A weight whose shape is not the model's. */
export interface MismatchedShape {
  /** What it is called. */
  readonly name: string;
  /** Shape in the model. */
  readonly expected: readonly number[];
  /** Shape given. */
  readonly got: readonly number[];
}

const outside: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\.cls_token$/, "cls_token"],
  [/^embeddings\.position_embeddings$/, "pos_embed"],
  [/^embeddings\.patch_embeddings\.projection\.(weight|bias)$/, "patch_embed.proj.$1"],
  [/^layernorm\.(weight|bias)$/, "norm.$1"],
  [/^classifier\.(weight|bias)$/, "head.$1"],
];

const inBlock: Readonly<Record<string, string>> = {
  layernorm_before: "norm1",
  layernorm_after: "norm2",
  "attention.output.dense": "attn.proj",
  "intermediate.dense": "mlp.fc1",
  "output.dense": "mlp.fc2",
};

const projections = ["query", "key", "value"] as const;

/**
 * Recognises who named the weights.
 *
 * @param names all names of a file
 * @throws KatlabError `invalid` when they are no vision transformer's
 */
export function weightNaming(names: readonly string[]): WeightNaming {
  if (names.some((name) => /^(vit\.)?encoder\.layer\.\d+\./.test(name))) return "huggingface";
  if (names.some((name) => /^blocks\.\d+\./.test(name))) return "timm";
  throw mustBe({
    subject: "weight names",
    must: "must be those of a vision transformer: blocks.0.… (timm, KAT) or vit.encoder.layer.0.… (Hugging Face)",
    got: names.length === 0 ? "no names" : names.slice(0, 3).join(", "),
    remedy: "Pass the weights of a ViT, DeiT or KAT.",
  });
}

/**
 * Gives weights the names katlab shares with timm. Hugging Face's query, key and value are joined to `qkv` in
 * this order along the first axis; names without a counterpart stay, so that a model reports them.
 *
 * @param weights stay the caller's
 * @returns new tensors, the caller's
 * @throws KatlabError `invalid` when the naming is unknown, a query, key or value lacks the other two or differs
 * from them in shape, or two names become one
 */
export function timmWeights(weights: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  const naming = weightNaming(Object.keys(weights));
  return tf.tidy(() => {
    const renamed = new Map<string, tf.Tensor>();
    for (const [name, weight] of Object.entries(weights)) {
      const projection = naming === "huggingface" ? asProjection(name) : undefined;
      if (projection !== undefined && projection.part !== "query" && projection.query in weights) continue;
      const target = projection?.target ?? (naming === "huggingface" ? timmName(name) : name);
      if (renamed.has(target)) throw refused(`two weights must not both be ${target}`, name);
      renamed.set(
        target,
        projection === undefined ? tf.clone(weight) : joined(weights, projection.stem, projection.suffix),
      );
    }
    return Object.fromEntries(renamed);
  });
}

/**
 * Compares given weights with those of a model, by name and shape.
 *
 * @param expected the model's
 * @param got those to load
 */
export function weightDifferences(
  expected: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  got: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): WeightDifferences {
  const names = Object.keys(expected);
  return {
    missing: names.filter((name) => !Object.hasOwn(got, name)),
    unexpected: Object.keys(got).filter((name) => !Object.hasOwn(expected, name)),
    mismatched: names
      .filter((name) => Object.hasOwn(got, name) && !sameShape(expected[name].shape, got[name].shape))
      .map((name) => ({ name, expected: expected[name].shape, got: got[name].shape })),
  };
}

function timmName(name: string): string {
  const bare = name.replace(/^vit\./, "");
  const block = /^encoder\.layer\.(\d+)\.(.+)\.(weight|bias)$/.exec(bare);
  if (block !== null) {
    const [, index, layer, kind] = block;
    return Object.hasOwn(inBlock, layer) ? `blocks.${index}.${inBlock[layer]}.${kind}` : name;
  }
  const rule = outside.find(([pattern]) => pattern.test(bare));
  return rule === undefined ? name : bare.replace(rule[0], rule[1]);
}

function asProjection(
  name: string,
): { stem: string; part: string; suffix: string; query: string; target: string } | undefined {
  const match =
    /^((?:vit\.)?encoder\.layer\.(\d+)\.attention\.attention)\.(query|key|value)\.(weight|bias)$/.exec(name);
  if (match === null) return undefined;
  const [, stem, index, part, suffix] = match;
  return {
    stem,
    part,
    suffix,
    query: `${stem}.query.${suffix}`,
    target: `blocks.${index}.attn.qkv.${suffix}`,
  };
}

function joined(weights: Readonly<Record<string, tf.Tensor>>, stem: string, suffix: string): tf.Tensor {
  const parts = projections.map((part) => {
    const name = `${stem}.${part}.${suffix}`;
    if (!Object.hasOwn(weights, name)) throw refused(`${stem} must have query, key and value`, `no ${name}`);
    return weights[name];
  });
  if (!parts.every(({ shape }) => sameShape(shape, parts[0].shape))) {
    const got = parts.map(({ shape }) => `[${shape.join(", ")}]`).join(", ");
    throw refused(`query, key and value of ${stem} must have one shape`, got);
  }
  return tf.concat(parts, 0);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function refused(must: string, got: string): Error {
  return mustBe({ subject: "weight names", must, got, remedy: "Save the model's weights again." });
}
