// How well our presets fit on [-3, 3] beside those that KAT released, each in the form it is best in: largest error, mean
// squared error, gain 1/E[F(x)²] for x ~ N(0, 1). The released numbers were computed once from their coefficients, in the form
// that their kernels evaluate (A) and in the one that their fit used (B).
//
//   node --import tsx bench/fits.ts
import * as kl from "katlab";

type Measured = readonly [maxError: number, meanSquaredError: number, gain: number];

const released: Readonly<Partial<Record<kl.ActivationName, readonly [a: Measured, b: Measured]>>> = {
  silu: [
    [1.2e-6, 7.9e-14, 2.8108],
    [1.3e-4, 1.4e-9, 2.8106],
  ],
  gelu: [
    [1.46, 1.5e-1, 3.193],
    [3.0e-3, 8.1e-7, 2.3494],
  ],
  relu: [
    [3.0e-2, 2.6e-5, 2.0006],
    [4.4e-1, 5.6e-2, 1.177],
  ],
  leakyRelu: [
    [3.0e-2, 2.5e-5, 2.0004],
    [4.2e-1, 5.2e-2, 1.2],
  ],
  "leakyRelu0.1": [
    [2.8e-2, 2.2e-5, 1.981],
    [2.9e-1, 3.0e-2, 1.37],
  ],
  tanh: [
    [4.1e-5, 1.5e-10, 2.5362],
    [1.8e-3, 9.8e-7, 2.5319],
  ],
  sigmoid: [
    [1.9e-5, 2.1e-11, 3.4086],
    [1.9e-5, 3.8e-11, 3.4085],
  ],
  geglu: [
    [9.5e-1, 4.6e-2, 0.7996],
    [1.3e-3, 3.4e-7, 0.7152],
  ],
  swiglu: [
    [1.71, 1.4e-1, 1.0357],
    [1.7e-3, 3.3e-7, 0.8394],
  ],
  erfcSoftplusSquared: [
    [8.5e-2, 9.6e-4, 13.09],
    [2.8e-4, 2.8e-9, 12.1],
  ],
};

const text = ([maxError, meanSquaredError, gain]: Measured): string =>
  `${maxError.toExponential(1)} / ${meanSquaredError.toExponential(1)} / ${gain.toFixed(4)}`;

console.log("| activation | true gain | ours, A | released, as A | ours, B | released, as B |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const name of Object.keys(kl.activations) as kl.ActivationName[]) {
  const ours = (["A", "B"] as const).map((form): Measured => {
    const preset = kl.rationalPreset(name, { form });
    const { maxError, meanSquaredError } = kl.fitError(kl.activations[name], preset, [-3, 3]);
    return [maxError, meanSquaredError, kl.rationalGain(preset)];
  });
  const theirs = released[name];
  const gain = kl.activationGain(kl.activations[name]).toFixed(4);
  const cells = ours.flatMap((own, i) => [text(own), theirs ? text(theirs[i]) : "none"]);
  console.log(`| ${name} | ${gain} | ${cells.join(" | ")} |`);
}
