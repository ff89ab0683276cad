import type { ModelName } from "../models/registry.js";

/** Images as a model saw them in training. */
export interface PretrainedInput {
  /** Mean of each channel, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, pixels scaled to 0…1. */
  readonly std: readonly number[];
}

/** Weights that somebody published. */
export interface PretrainedWeights {
  /** The model they belong to. */
  readonly model: ModelName;
  /** What they were trained on, and by whom. */
  readonly source: string;
  /** Short name of the licence their publisher states. */
  readonly licence: string;
  /** Where the file lies. */
  readonly url: string;
  /** SHA-256 of the file, hexadecimal, as its publisher shows it. */
  readonly sha256: string;
  /** How images are normalised. */
  readonly input: PretrainedInput;
  /** Share of ImageNet's validation images that their publisher says they classify rightly, in percent. */
  readonly reportedAccuracy: number;
}

/** Names that `loadPretrained` knows: the model, then what it was trained on; `vit_in1k` began as a trained ViT. */
export type PretrainedName =
  | "kat_tiny_patch16_224.in1k"
  | "kat_tiny_patch16_224.vit_in1k"
  | "kat_small_patch16_224.in1k"
  | "kat_small_patch16_224.vit_in1k"
  | "kat_base_patch16_224.vit_in1k"
  | "deit_tiny_patch16_224.fb_in1k"
  | "deit_small_patch16_224.fb_in1k";

const imageNet: PretrainedInput = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const kat = {
  source: "ImageNet-1k; Yang and Wang, Kolmogorov–Arnold Transformer, ICLR 2025",
  licence: "Apache-2.0",
  input: imageNet,
} as const;

const deit = {
  source: "ImageNet-1k; Touvron et al., Training data-efficient image transformers, 2021; file by timm",
  licence: "Apache-2.0",
  input: imageNet,
} as const;

const host = "https://huggingface.co";

/** All of them by name. */
export const pretrainedWeights: Readonly<Record<PretrainedName, PretrainedWeights>> = {
  "kat_tiny_patch16_224.in1k": {
    ...kat,
    model: "kat_tiny_patch16_224",
    url: `${host}/adamdad/kat_tiny_patch16_224/resolve/main/pytorch_model.bin`,
    sha256: "07ae82e0269dcd691813b9a35d260192db926382229925b6c12b5e8b1d23910f",
    reportedAccuracy: 74.6,
  },
  "kat_tiny_patch16_224.vit_in1k": {
    ...kat,
    model: "kat_tiny_patch16_224",
    url: `${host}/adamdad/kat_tiny_patch16_224.vitft/resolve/main/pytorch_model.bin`,
    sha256: "1c3324572020e611729d69f7eee928ac7e801b96b4f77a074bff74be2686438b",
    reportedAccuracy: 75.7,
  },
  "kat_small_patch16_224.in1k": {
    ...kat,
    model: "kat_small_patch16_224",
    url: `${host}/adamdad/kat_small_patch16_224/resolve/main/pytorch_model.bin`,
    sha256: "cc3837b2b10475322d8c85addfab7f2170a6205158c530a4d963b4695b6ca9ba",
    reportedAccuracy: 81.2,
  },
  "kat_small_patch16_224.vit_in1k": {
    ...kat,
    model: "kat_small_patch16_224",
    url: `${host}/adamdad/kat_small_patch16_224.vitft/resolve/main/pytorch_model.bin`,
    sha256: "855d276ad48465822e7cfd2a7c5226992a1d6e776b07e9e87deb7736c8713819",
    reportedAccuracy: 82.0,
  },
  "kat_base_patch16_224.vit_in1k": {
    ...kat,
    model: "kat_base_patch16_224",
    url: `${host}/adamdad/kat_base_patch16_224.vitft/resolve/16d2d797547d97fd501132367c00c635027ded1b/model.safetensors`,
    sha256: "36e23b6b8089f9a1fe43fe757ea77e177da764227a9dd2009d607d6d8148e931",
    reportedAccuracy: 82.8,
  },
  "deit_tiny_patch16_224.fb_in1k": {
    ...deit,
    model: "deit_tiny_patch16_224",
    url: `${host}/timm/deit_tiny_patch16_224.fb_in1k/resolve/457c7aea80b608b44786bd3193556c727028bd6d/model.safetensors`,
    sha256: "21d4764d94f6c3ffdb6da3581115a0a1ee2d505537d96883b540e54766407c9e",
    reportedAccuracy: 72.2,
  },
  "deit_small_patch16_224.fb_in1k": {
    ...deit,
    model: "deit_small_patch16_224",
    url: `${host}/timm/deit_small_patch16_224.fb_in1k/resolve/38e0e3a79073772ea54733b87885d3d7f6348e8a/pytorch_model.bin`,
    sha256: "52fa3d9d746c967a02a6765fa31368eb481d52cea269798a4a33c172f1c03242",
    reportedAccuracy: 79.8,
  },
};
