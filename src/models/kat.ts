import { GroupKan, type GroupKanOptions } from "../layers/groupKan.js";
import type { Scope } from "../layers/scope.js";
import { VisionTransformer, type VisionTransformerConfig } from "./visionTransformer.js";

/** What can be chosen of KAT's group-rational functions. */
export type KatOptions = Omit<GroupKanOptions, "dim" | "hiddenDim">;

/**
 * KAT: a vision transformer whose channel mixer is rational, linear, rational, linear. Names and layout of the published
 * checkpoints.
 *
 * Source: Yang and Wang, "Kolmogorov-Arnold Transformer", arXiv 2409.10594.
 */
export function kat(
  scope: Scope,
  config: Omit<VisionTransformerConfig, "mixer">,
  options: KatOptions = {},
): VisionTransformer {
  return new VisionTransformer(scope, {
    ...config,
    mixer: (place, dim, hiddenDim) => new GroupKan(place, { ...options, dim, hiddenDim }),
  });
}
