import { unknownOption } from "../errors.js";
import { Scope } from "../layers/scope.js";
import { Random } from "../random.js";
import { kat } from "./kat.js";
import { checkModelOptions, type ModelOptions } from "./modelOptions.js";
import { vit } from "./vit.js";
import type { VisionTransformer, VisionTransformerConfig } from "./visionTransformer.js";

/** The sizes both families come in; the ImageNet ones are those of DeiT and of the KAT paper. */
const sizes = {
  test_patch7_28: { imageSize: 28, patchSize: 7, channels: 1, classes: 10, dim: 96, depth: 4, heads: 3 },
  tiny_patch16_224: {
    imageSize: 224,
    patchSize: 16,
    channels: 3,
    classes: 1000,
    dim: 192,
    depth: 12,
    heads: 3,
  },
  small_patch16_224: {
    imageSize: 224,
    patchSize: 16,
    channels: 3,
    classes: 1000,
    dim: 384,
    depth: 12,
    heads: 6,
  },
  base_patch16_224: {
    imageSize: 224,
    patchSize: 16,
    channels: 3,
    classes: 1000,
    dim: 768,
    depth: 12,
    heads: 12,
  },
} as const satisfies Record<string, Partial<VisionTransformerConfig>>;

/** @inline */
type Family = "vit" | "kat";
/** @inline */
type Size = keyof typeof sizes;

/** A model that `createModel` knows, named as timm names its models: family, size, patch, image. */
export type ModelName = `${Family}_${Size}`;

const families: readonly Family[] = ["vit", "kat"];
const registry: ReadonlyMap<string, { readonly family: Family; readonly size: Size }> = new Map(
  families.flatMap((family) =>
    (Object.keys(sizes) as Size[]).map((size) => [`${family}_${size}`, { family, size }] as const),
  ),
);

/** Names of all models, by family and size. */
export function listModels(): ModelName[] {
  return [...registry.keys()] as ModelName[];
}

/**
 * Makes a model with fresh weights.
 *
 * Each parameter is drawn from a stream of its own, split from the seed by its name, and only when it is first used:
 * the model costs nothing until then, and its weights live on the engine in use at that moment.
 *
 * @param name one of `listModels()`
 * @throws KatlabError `unknown` for a name or an option that is not there, with the nearest one; `invalid` for values
 *   out of range; `indivisible` for sizes that do not divide
 */
export function createModel(name: ModelName, options: ModelOptions = {}): VisionTransformer {
  const entry = registry.get(name);
  if (entry === undefined) throw unknownOption("createModel", name, listModels());
  checkModelOptions(entry.family, options);
  const size = sizes[entry.size];
  const { seed = 0, dropPath = 0, groups, starts, weights } = options;
  const scope = new Scope(new Random(seed).split("weights"));
  const config = {
    name,
    imageSize: options.imageSize ?? size.imageSize,
    patchSize: options.patchSize ?? size.patchSize,
    channels: options.channels ?? size.channels,
    classes: options.classes ?? size.classes,
    dim: size.dim,
    depth: size.depth,
    heads: size.heads,
    hiddenDim: 4 * size.dim,
    dropPath,
  };
  return entry.family === "vit" ? vit(scope, config) : kat(scope, config, { groups, starts, weights });
}
