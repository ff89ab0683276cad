/** What a layer costs for one input, and what it is made of; counted without computing. */
export interface LayerOutline {
  /** Its path in the model, for example `"blocks.0.mlp.fc1"`. */
  readonly path: string;
  /** What it is, for example `"Linear"`. */
  readonly layer: string;
  /** Shape of its result, without the batch axis. */
  readonly output: readonly number[];
  /** Number of parameters, those of its layers included. */
  readonly parameters: number;
  /**
   * Multiply-adds as the KAT paper counts them, those of its layers included: products with weights, 5 per element of
   * a LayerNorm, 2m + 2n + 3 (21 in KAT) per value of a rational function; biases, other activations, sums and the attention's own matrix
   * products are not counted.
   */
  readonly multiplyAdds: number;
  /** Multiply-adds of query·keyᵀ and of attention·value, which the paper's count leaves out. */
  readonly attentionMultiplyAdds: number;
  /** The layers it is made of, in order of use. */
  readonly layers: readonly LayerOutline[];
}

/** What a composed layer is, apart from the sums over its layers. */
export type Composition = Pick<LayerOutline, "path" | "layer" | "output" | "layers"> &
  Partial<Pick<LayerOutline, "parameters" | "multiplyAdds" | "attentionMultiplyAdds">>;

/** The outline of a layer made of others: its counts are its own, given here, and theirs. */
export function composedOutline(composition: Composition): LayerOutline {
  const { path, layer, output, layers } = composition;
  const total = (count: "parameters" | "multiplyAdds" | "attentionMultiplyAdds"): number =>
    layers.reduce((sum, part) => sum + part[count], composition[count] ?? 0);
  return {
    path,
    layer,
    output,
    parameters: total("parameters"),
    multiplyAdds: total("multiplyAdds"),
    attentionMultiplyAdds: total("attentionMultiplyAdds"),
    layers,
  };
}
