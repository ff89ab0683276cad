import { integrate } from "./quadrature.js";

// The density is below 1e-31 outside ±12; the edge at 0 is where |x| and max(x, 0) have their kink.
const edges = Array.from({ length: 25 }, (_, i) => i - 12);

/**
 * E[f(x)] for x ~ N(0, 1), by quadrature; `f` must be smooth but at the integers and grow no faster than a polynomial.
 */
export function gaussianMean(f: (x: number) => number): number {
  return integrate((x) => (f(x) * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI), edges);
}

/**
 * The gain α = Var[x] / E[F(x)²] of an activation for x ~ N(0, 1), the output of a LayerNorm: weights drawn from
 * N(0, α/d) keep the variance of a layer with d inputs. Relu: 2.
 *
 * Source: KAT, arXiv 2409.10594, section 4.4 and table 3 (there by Monte Carlo, here to about 14 digits).
 */
export function activationGain(activation: (x: number) => number): number {
  return 1 / gaussianMean((x) => activation(x) ** 2);
}
