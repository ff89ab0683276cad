/** How often values fall into each of several adjoining intervals. */
export interface HistogramData {
  /** Borders of the bins, rising; one more than there are bins. */
  edges: readonly number[];
  /** Number of values in each bin. */
  counts: readonly number[];
}

/** The learned function of one group of channels. */
export interface GroupActivationData {
  /** Number of the group, from 0. */
  group: number;
  /** Points at which the function was taken, rising. */
  x: readonly number[];
  /** F(x) as it is now. */
  y: readonly number[];
  /** F(x) as it was before training. */
  startY: readonly number[];
  /** The inputs the group meets. */
  histogram: HistogramData;
}

/** One learned activation of a model: a function for each group of channels. */
export interface LayerActivationData {
  /** Where it is, in the model's own names: `blocks.0.mlp.act1`. */
  layer: string;
  /** The function all groups started as, by name: `identity`. */
  start: string;
  /** One function for each group; at least one. */
  groups: readonly GroupActivationData[];
}

/** Every learned activation of a model, as `learnedActivations` gives it and as any other program may. */
export interface ActivationData {
  /** Name of the model. */
  model: string;
  /** In the order of the layers; at least one. */
  activations: readonly LayerActivationData[];
}
