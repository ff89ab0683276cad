import { describe, expect, test } from "vitest";
import { activations, type ActivationName } from "../../src/bases/activations.js";
import { fitError, fitRational } from "../../src/bases/fitRational.js";
import { activationGain, rationalGain } from "../../src/bases/gain.js";
import { rational } from "../../src/bases/rational.js";
import { type RationalForm, rationalForms, rationalTerms } from "../../src/bases/rationalForm.js";
import { denominatorMinimum, rationalPoles } from "../../src/bases/rationalPoles.js";
import { presetPoleFree, rationalPreset, type RationalPresetName } from "../../src/bases/rationalPreset.js";
import { KatlabError } from "../../src/errors.js";

const names = Object.keys(activations) as ActivationName[];
const all = rationalForms.flatMap((form) =>
  names.map((name): [RationalForm, ActivationName] => [form, name]),
);

describe.each(all)("form %s, %s", (form, name) => {
  const preset = rationalPreset(name, { form });

  test("errors and gain are those of its coefficients", () => {
    expect([preset.form, preset.activation, preset.warning]).toEqual([form, name, undefined]);
    expect([preset.numerator.length, preset.denominator.length]).toEqual(rationalTerms(form, [5, 4]));
    const error = fitError(activations[name], preset, preset.interval);
    if (name === "identity")
      expect([preset.maxError, preset.meanSquaredError, preset.gain]).toEqual([0, 0, 1]);
    else {
      expect(preset.maxError / error.maxError).toBeCloseTo(1, 3);
      expect(preset.meanSquaredError / error.meanSquaredError).toBeCloseTo(1, 3);
    }
    expect(preset.gain / rationalGain(preset)).toBeCloseTo(1, 9);
    expect(preset.gain / activationGain(activations[name])).toBeCloseTo(1, 2);
  });

  test("no pole, and coefficients as the form has them", () => {
    expect(rationalPoles(preset, presetPoleFree)).toEqual([]);
    expect(denominatorMinimum(preset, [-30, 30]).value).toBeGreaterThanOrEqual(0.1);
    if (form === "A") expect(Math.min(...preset.denominator)).toBeGreaterThanOrEqual(0);
  });

  test("twice as far out it has not run away", () => {
    const far = 2 * preset.interval[1];
    const scale = Math.max(Math.abs(activations[name](far)), 1);
    for (const x of [-far, far]) {
      expect(Math.abs(rational(x, preset) - activations[name](x))).toBeLessThan(0.5 * scale);
    }
  });
});

describe("stored fits are what the fitter finds", () => {
  // One of each form here; the maker writes them all again.
  test.each([
    ["A", "silu"],
    ["B", "mish"],
    ["C", "tanh"],
    ["N", "swiglu"],
  ] as const)("form %s, %s", (form, name) => {
    const preset = rationalPreset(name, { form });
    const fit = fitRational(activations[name], { form, interval: preset.interval, poleFree: presetPoleFree });
    expect(fit.meanSquaredError / preset.meanSquaredError).toBeCloseTo(1, 3);
    fit.numerator.forEach((a, i) => expect(a).toBeCloseTo(preset.numerator[i], 6));
    fit.denominator.forEach((b, j) => expect(b).toBeCloseTo(preset.denominator[j], 6));
  });
});

test("identity is exact in every form and degree", () => {
  for (const form of rationalForms) {
    for (const degrees of [
      [5, 4],
      [1, 0],
      [8, 8],
      [2, 3],
    ] as const) {
      const preset = rationalPreset("identity", { form, degrees });
      expect([preset.numerator.length, preset.denominator.length]).toEqual(rationalTerms(form, degrees));
      for (const x of [-3, -0.1, 0, 1e-30, 7]) expect(rational(x, preset)).toBe(x);
    }
  }
  expect(() => rationalPreset("identity", { degrees: [0, 4] })).toThrow(
    "the numerator's degree must be at least 1",
  );
});

test("other degrees are fitted once", () => {
  const options = { form: "B", degrees: [3, 2] } as const;
  const preset = rationalPreset("silu", options);
  expect(preset).toBe(rationalPreset("silu", options));
  expect(preset.numerator).toHaveLength(4);
  expect(preset.maxError).toBeLessThan(0.01);
  expect(preset.maxError).toBeGreaterThan(rationalPreset("silu", { form: "B" }).maxError);
  expect(() => rationalPreset("silu", { degrees: [-1, 2] })).toThrow(KatlabError);
});

describe("upstream-gelu", () => {
  const upstream = rationalPreset("upstream-gelu");

  test("says what is wrong with it, and that is so", () => {
    expect(upstream.warning).toContain("misses gelu by 1.46");
    expect(upstream.maxError).toBeCloseTo(1.465, 3);
    expect(rational(5, upstream)).toBeCloseTo(0.5, 2);
    expect(upstream.gain).toBeCloseTo(3.193, 3);
    expect(upstream.maxError / fitError(activations.gelu, upstream, [-3, 3]).maxError).toBeCloseTo(1, 3);
    // In the form it was fitted for it is gelu.
    const meant = { ...upstream, form: "B" as const };
    expect(fitError(activations.gelu, meant, [-3, 3]).maxError).toBeCloseTo(3.0e-3, 4);
    expect(rationalGain(meant)).toBeCloseTo(2.3494, 4);
  });

  test("exists as released only", () => {
    expect(() => rationalPreset("upstream-gelu", { form: "B" })).toThrow("as released; got form B");
    expect(() => rationalPreset("upstream-gelu", { degrees: [3, 2] })).toThrow(KatlabError);
  });
});

test("an unknown name or form is refused with the nearest one", () => {
  expect(() => rationalPreset("gleu" as RationalPresetName)).toThrow('Did you mean "gelu"?');
  expect(() => rationalPreset("toString" as RationalPresetName)).toThrow(KatlabError);
  expect(() => rationalPreset("gelu", { form: "E" as RationalForm })).toThrow("must be one of A, B, C, D, N");
});
