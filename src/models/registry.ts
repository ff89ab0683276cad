import { unknownOption } from "../errors.js";
import { Scope } from "../layers/scope.js";
import { Random } from "../random.js";
import { kat } from "./kat.js";
import { checkModelOptions, katOptions, type ModelOptions } from "./modelOptions.js";
import { vit } from "./vit.js";
import type { VisionTransformer, VisionTransformerConfig } from "./visionTransformer.js";

const imageNet = { imageSize: 224, patchSize: 16, channels: 3, classes: 1000, depth: 12 } as const;
const cifar = { imageSize: 32, patchSize: 4, channels: 3, classes: 10 } as const;

/** The sizes both families come in. Those for ImageNet are DeiT's and the KAT paper's; `test` is for seconds on a CPU. */
const sizes = {
  test_patch7_28: { imageSize: 28, patchSize: 7, channels: 1, classes: 10, dim: 96, depth: 4, heads: 3 },
  tiny_patch4_32: { ...cifar, dim: 192, depth: 12, heads: 3 },
  tiny_patch16_224: { ...imageNet, dim: 192, heads: 3 },
  small_patch16_224: { ...imageNet, dim: 384, heads: 6 },
  base_patch16_224: { ...imageNet, dim: 768, heads: 12 },
} as const satisfies Record<string, Partial<VisionTransformerConfig>>;

/** @inline */
type Family = "vit" | "kat";
/** @inline */
type Size = keyof typeof sizes;
/** @inline */
type ImageNetSize = "tiny_patch16_224" | "small_patch16_224" | "base_patch16_224";

/**
 * A model that `createModel` knows, named as timm names its models: family, size, patch, image. DeiT without its
 * distillation token is ViT: the names differ, the networks do not.
 */
export type ModelName = `${Family}_${Size}` | `deit_${ImageNetSize}`;

interface Entry {
  readonly family: Family;
  readonly size: Size;
}

const entriesOf = (name: string, family: Family, list: readonly Size[]): [string, Entry][] =>
  list.map((size) => [`${name}_${size}`, { family, size }]);
const allSizes = Object.keys(sizes) as Size[];
const registry: ReadonlyMap<string, Entry> = new Map([
  ...entriesOf("vit", "vit", allSizes),
  ...entriesOf(
    "deit",
    "vit",
    allSizes.filter((size) => size.endsWith("_224")),
  ),
  ...entriesOf("kat", "kat", allSizes),
]);

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
  const { seed = 0, dropPath = 0 } = options;
  const scope = new Scope(new Random(seed).split("weights"));
  const config = {
    name,
    options: { ...options },
    imageSize: options.imageSize ?? size.imageSize,
    patchSize: options.patchSize ?? size.patchSize,
    channels: options.channels ?? size.channels,
    classes: options.classes ?? size.classes,
    dim: size.dim,
    depth: size.depth,
    heads: size.heads,
    hiddenDim: 4 * size.dim,
    dropPath,
    attention: options.attention,
    layerScale: options.layerScale,
    pooling: options.pooling,
  };
  return entry.family === "vit" ? vit(scope, config) : kat(scope, config, katOptions(options));
}
