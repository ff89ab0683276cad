/** Names of the fixed activations that learnable functions can start from. */
export type ActivationName =
  | "identity"
  | "relu"
  | "leakyRelu"
  | "leakyRelu0.1"
  | "silu"
  | "gelu"
  | "mish"
  | "tanh"
  | "sigmoid"
  | "geglu"
  | "swiglu"
  | "erfcSoftplusSquared";

/**
 * The fixed activations, in float64: what presets are fitted to.
 *
 * - identity(x) = x; relu(x) = max(x, 0); leakyRelu: slope 0.01 below zero, `leakyRelu0.1` slope 0.1
 * - silu(x) = x·σ(x), also called swish; gelu(x) = x·Φ(x), the exact form; mish(x) = x·tanh(softplus(x))
 * - geglu(x) = x·gelu(x) and swiglu(x) = x·silu(x): a gated unit whose gate is its own input, as KAT's presets `geglu` and
 *   `swishglu` have it
 * - erfcSoftplusSquared(x) = erfc(softplus(x))²
 */
export const activations: Readonly<Record<ActivationName, (x: number) => number>> = {
  identity: (x) => x,
  relu: (x) => Math.max(x, 0),
  leakyRelu: (x) => (x < 0 ? 0.01 * x : x),
  "leakyRelu0.1": (x) => (x < 0 ? 0.1 * x : x),
  silu,
  gelu,
  mish: (x) => x * Math.tanh(softplus(x)),
  tanh: Math.tanh,
  sigmoid,
  geglu: (x) => x * gelu(x),
  swiglu: (x) => x * silu(x),
  erfcSoftplusSquared: (x) => (1 - erf(softplus(x))) ** 2,
};

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + eˣ), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function silu(x: number): number {
  return x * sigmoid(x);
}

function gelu(x: number): number {
  return (x / 2) * (1 + erf(x / Math.SQRT2));
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
