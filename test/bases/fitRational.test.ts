import { describe, expect, test } from "vitest";
import { activations, type ActivationName } from "../../src/bases/activations.js";
import { fitError, fitRational } from "../../src/bases/fitRational.js";
import { activationGain } from "../../src/bases/gain.js";
import { rational } from "../../src/bases/rational.js";
import { rationalPreset, type RationalPresetName } from "../../src/bases/rationalPreset.js";
import { rationalPresets } from "../../src/bases/rationalPresets.js";
import { KatlabError } from "../../src/errors.js";

const presets = Object.entries(rationalPresets) as [RationalPresetName, (typeof rationalPresets)["relu"]][];

describe("fitRational", () => {
  test("finds a rational function again", () => {
    const truth = { numerator: [0.2, 1, -0.3], denominator: [0.5, 0.25] };
    const fit = fitRational((x) => rational(x, truth), { degrees: [2, 2] });
    expect(fit.maxError).toBeLessThan(1e-9);
    fit.numerator.forEach((a, i) => expect(a).toBeCloseTo(truth.numerator[i], 6));
    fit.denominator.forEach((b, j) => expect(b).toBeCloseTo(truth.denominator[j], 6));
  });

  test("does not need a denominator", () => {
    const fit = fitRational((x) => 3 - x * x, { degrees: [2, 0] });
    expect(fit.denominator).toEqual([]);
    expect(fit.maxError).toBeLessThan(1e-12);
  });

  test("keeps the denominator non-negative", () => {
    const fit = fitRational((x) => Math.sin(5 * x), { points: 201 });
    expect(Math.min(...fit.denominator)).toBeGreaterThanOrEqual(0);
  });

  test("refuses fewer points than coefficients", () => {
    expect(() => fitRational(Math.sin, { points: 9 })).toThrow(KatlabError);
    expect(() => fitRational(Math.sin, { points: 9 })).toThrow("points must be at least");
  });
});

describe("presets", () => {
  test.each(presets)("%s: stored errors and gain are those of its coefficients", (name, preset) => {
    const error = fitError(activations[name], preset, preset.interval);
    expect(preset.maxError).toBeCloseTo(error.maxError, 5);
    if (name !== "identity") {
      expect(preset.maxError / error.maxError).toBeCloseTo(1, 3);
      expect(preset.meanSquaredError / error.meanSquaredError).toBeCloseTo(1, 3);
    }
    expect(preset.gain).toBeCloseTo(
      activationGain((x) => rational(x, preset)),
      8,
    );
  });

  // What fits of the same form, degrees and interval reached elsewhere: largest error, gain.
  const reached: Record<Exclude<ActivationName, "identity">, [number, number]> = {
    relu: [3.01e-2, 2.0006],
    silu: [1.3e-6, 2.8108],
    gelu: [3.9e-3, 2.3509],
    tanh: [4.1e-5, 2.5362],
    sigmoid: [1.9e-5, 3.4086],
  };
  test.each(Object.entries(reached))("%s: as good as the best known fit", (name, [maxError, gain]) => {
    const preset = rationalPreset(name as RationalPresetName);
    expect(preset.maxError).toBeLessThan(maxError);
    expect(preset.gain).toBeCloseTo(gain, 3);
  });

  test("a fit from scratch arrives at the stored coefficients", () => {
    const fit = fitRational(activations.silu);
    expect(fit.meanSquaredError).toBeCloseTo(rationalPreset("silu").meanSquaredError, 16);
    fit.numerator.forEach((a, i) => expect(a).toBeCloseTo(rationalPreset("silu").numerator[i], 8));
  });

  test("identity is exact", () => {
    for (const x of [-3, -0.1, 0, 1e-30, 7]) expect(rational(x, rationalPreset("identity"))).toBe(x);
  });

  test("denominators are non-negative, degrees 5 and 4", () => {
    for (const [, preset] of presets) {
      expect(preset.numerator).toHaveLength(6);
      expect(preset.denominator).toHaveLength(4);
      expect(Math.min(...preset.denominator)).toBeGreaterThanOrEqual(0);
    }
  });

  test("an unknown name is refused with the nearest one", () => {
    expect(() => rationalPreset("gleu" as RationalPresetName)).toThrow('Did you mean "gelu"?');
    expect(() => rationalPreset("toString" as RationalPresetName)).toThrow(KatlabError);
  });
});
