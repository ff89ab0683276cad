import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mustBe } from "./errors.js";

/**
 * A seeded source of random numbers, split by purpose.
 *
 * `split("weights")` gives a stream that depends only on the seed and the path of
 * purposes, so drawing more numbers for one purpose never shifts another:
 * a new augmentation leaves the initial weights as they were.
 *
 * Generator: xoroshiro128+ (Blackman and Vigna, 2018), seeded by a 32-bit FNV-1a hash of the path.
 */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;
  readonly #path: string;
  #spare: number | undefined;

  /** @param seed any safe integer; the same seed gives the same numbers on every machine */
  constructor(seed: number, path = "") {
    if (!Number.isSafeInteger(seed)) {
      throw mustBe({
        subject: "seed",
        must: "must be a safe integer",
        got: String(seed),
        remedy: "Pass for example seed: 1.",
      });
    }
    this.seed = seed;
    this.#path = path;
    this.#generator = xoroshiro128plus(hash(`${seed}${path}`));
  }

  /** The seed this stream descends from. */
  readonly seed: number;

  /** An independent stream for one purpose, for example `split("dropPath")`. */
  split(purpose: string | number): Random {
    return new Random(this.seed, `${this.#path}/${purpose}`);
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Uniform integer in [0, below). */
  integer(below: number): number {
    return uniformInt(this.#generator, 0, below - 1);
  }

  /** Standard normal (Marsaglia's polar method). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        this.#spare = v * factor;
        return u * factor;
      }
    }
  }

  /** Standard normal, redrawn until within ±`bound` standard deviations (default 2). */
  truncatedNormal(bound = 2): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= bound) return value;
    }
  }

  /**
   * Beta(α, α): G₁/(G₁ + G₂) of two gamma variables (Marsaglia and Tsang, 2000; below α = 1 by G(α + 1)·U^(1/α)).
   *
   * @param alpha above 0; small ones give numbers near 0 and 1
   */
  beta(alpha: number): number {
    const [first, second] = [this.#logGamma(alpha), this.#logGamma(alpha)];
    return 1 / (1 + Math.exp(second - first));
  }

  /** Logarithm of a gamma variable, which is itself too small to hold for small α. */
  #logGamma(alpha: number): number {
    if (alpha < 1) return this.#logGamma(alpha + 1) + Math.log(1 - this.uniform()) / alpha;
    const d = alpha - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < x ** 2 / 2 + d * (1 - v + Math.log(v)))
        return Math.log(d * v);
    }
  }

  /** `[0, size)` in random order (Fisher–Yates). */
  permutation(size: number): Int32Array {
    const order = Int32Array.from({ length: size }, (_, i) => i);
    for (let i = size - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
}
