import type { ActivationData } from "../../src/plot/activationData.js";
import type { Confusion } from "../../src/plot/plotConfusion.js";
import type { LabelledImages } from "../../src/plot/plotImages.js";
import type { TrainingHistory } from "../../src/plot/trainingData.js";

/** A run whose loss falls from 2.3 with noise, and whose accuracy rises to 85 %. */
export function sampleHistory({ steps, epochs }: { steps: number; epochs: number }): TrainingHistory {
  const perEpoch = steps / Math.max(1, epochs);
  return {
    steps: Array.from({ length: steps }, (_, i) => ({
      step: i + 1,
      epoch: Math.ceil((i + 1) / perEpoch),
      loss: 0.5 + 1.8 * Math.exp((-12 * i) / steps) + 0.1 * Math.sin(i * i),
      learningRate: 2e-3 * Math.cos((Math.PI * i) / (2 * steps)),
    })),
    epochs: Array.from({ length: epochs }, (_, i) => ({
      epoch: i + 1,
      trainLoss: 0.5 + 1 / (i + 1),
      testLoss: 0.6 + 0.4 / (i + 1),
      testAccuracy: 0.85 - (0.1 * (epochs - 1 - i)) / epochs,
      seconds: 12.5,
    })),
  };
}

/** A model of `depth` blocks with two activations each, whose groups have drifted apart by different slopes. */
export function sampleActivations(depth: number, groups = 8): ActivationData {
  const starts = { act1: (x: number) => x, act2: (x: number) => x / (1 + Math.exp(-x)) };
  const names = { act1: "identity", act2: "swish" };
  const activation = (block: number, name: "act1" | "act2") => ({
    layer: `blocks.${block}.mlp.${name}`,
    start: names[name],
    groups: Array.from({ length: groups }, (_, group) => {
      const reach = 3 + 0.2 * group + 0.1 * block;
      const at = (i: number, count: number) => -reach + (2 * reach * i) / count;
      const x = Array.from({ length: 201 }, (_, i) => at(i, 200));
      return {
        group,
        x,
        y: x.map((value) => (1 + 0.05 * (group - 3)) * starts[name](value) + 0.1 * Math.sin(value + block)),
        startY: x.map(starts[name]),
        histogram: {
          edges: Array.from({ length: 41 }, (_, i) => at(i, 40)),
          counts: Array.from({ length: 40 }, (_, i) => Math.round(200 * Math.exp(-(((i - 20) / 8) ** 2)))),
        },
      };
    }),
  });
  return {
    model: "kat_sample",
    activations: Array.from({ length: depth }, (_, block) => [
      activation(block, "act1"),
      activation(block, "act2"),
    ]).flat(),
  };
}

/** Names of ten classes, as long as those of Fashion-MNIST. */
export const sampleClasses: readonly string[] = Array.from({ length: 10 }, (_, i) => `class no. ${i}`);

/** Grey images of diagonal stripes; every third prediction is one class too high. */
export function sampleImages(count: number, side = 28): LabelledImages & { predictions: Int32Array } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  return {
    images: Uint8Array.from(
      { length: count * side * side },
      (_, i) => (i * 37 + Math.floor(i / side) * 11) & 255,
    ),
    shape: [side, side, 1],
    labels,
    predictions: labels.map((label, i) => (i % 3 === 2 ? (label + 1) % 10 : label)),
    classes: sampleClasses,
  };
}

/** 1,000 images of each class, 850 of them recognised. */
export function sampleConfusion(classes = 10): Confusion {
  return {
    confusion: Array.from({ length: classes }, (_, i) =>
      Array.from({ length: classes }, (_, j) => (i === j ? 850 : (i + 1) % classes === j ? 150 : 0)),
    ),
    classes: Array.from({ length: classes }, (_, i) => `class no. ${i}`),
  };
}
