/** Names of the fixed activations that learnable functions can start from. */
export type ActivationName = "identity" | "relu" | "silu" | "gelu" | "tanh" | "sigmoid";

/**
 * The fixed activations, in float64: what presets are fitted to.
 *
 * silu(x) = x·σ(x), also called swish; gelu(x) = x·Φ(x), the exact form.
 */
export const activations: Readonly<Record<ActivationName, (x: number) => number>> = {
  identity: (x) => x,
  relu: (x) => Math.max(x, 0),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  tanh: Math.tanh,
  sigmoid,
};

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * The error function, to about 1e-15: erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)).
 *
 * All terms have one sign, so nothing cancels (unlike the alternating series).
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
