import { Mlp } from "../layers/mlp.js";
import type { Scope } from "../layers/scope.js";
import { VisionTransformer, type VisionTransformerConfig } from "./visionTransformer.js";

/**
 * ViT: a vision transformer whose channel mixer is linear, gelu, linear. Names and layout of timm's models.
 *
 * Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021; sizes tiny and small from DeiT, 2021.
 */
export function vit(scope: Scope, config: Omit<VisionTransformerConfig, "mixer">): VisionTransformer {
  return new VisionTransformer(scope, {
    ...config,
    mixer: (place, dim, hiddenDim) => new Mlp(place, { dim, hiddenDim }),
  });
}
