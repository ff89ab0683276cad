import { mustBe } from "../errors.js";
import { integrate } from "./quadrature.js";
import { rational, type RationalCoefficients } from "./rational.js";
import { rationalKinks, rationalPoles } from "./rationalPoles.js";

/** The density is below 1e-31 outside. */
const reach: readonly [number, number] = [-12, 12];
const [low, high] = reach;
const edges = Array.from({ length: high - low + 1 }, (_, i) => low + i);

/**
 * E[f(x)] for x ~ N(0, 1), by quadrature, to about 13 digits; `f` must grow no faster than a polynomial.
 *
 * @param kinks where `f` or its derivative jumps, other than integers; one that is not given can cost up to 1e-3 of the
 *   jump of `f`, 1e-5 of that of its derivative
 */
export function gaussianMean(f: (x: number) => number, kinks: readonly number[] = []): number {
  const inside = kinks.filter((kink) => kink > low && kink < high && !Number.isInteger(kink));
  const allEdges = [...edges, ...inside].sort((a, b) => a - b);
  return integrate((x) => (f(x) * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI), allEdges);
}

/**
 * The gain α = Var[x] / E[F(x)²] of an activation for x ~ N(0, 1), the output of a LayerNorm: weights drawn from
 * N(0, α/d) keep the variance of a layer with d inputs. Relu: 2.
 *
 * @param activation any function that grows no faster than a polynomial; for rational ones see `rationalGain`
 * @param kinks where it or its derivative jumps, as for `gaussianMean`
 * Source: KAT, arXiv 2409.10594, section 4.4 and table 3 (there by Monte Carlo, here to about 13 digits).
 */
export function activationGain(activation: (x: number) => number, kinks: readonly number[] = []): number {
  return 1 / gaussianMean((x) => activation(x) ** 2, kinks);
}

/**
 * `activationGain` of a rational function of any form.
 *
 * @throws KatlabError `invalid` when there is a pole within ±12: then E[F²] is infinite
 */
export function rationalGain(coefficients: RationalCoefficients): number {
  const poles = rationalPoles(coefficients, reach);
  if (poles.length > 0) {
    throw mustBe({
      subject: "rationalGain",
      must: "the function must have no poles within ±12, where normal inputs fall",
      got: `one at ${poles[0]}`,
      remedy: "Take another form: A, B and C have no poles.",
    });
  }
  return activationGain((x) => rational(x, coefficients), rationalKinks(coefficients, reach));
}
