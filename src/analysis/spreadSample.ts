/** A bounded number of values, taken evenly from a stream whose length is known. */
export class SpreadSample {
  readonly #stride: number;
  readonly #values: Float32Array;
  #seen = 0;
  #kept = 0;

  /**
   * @param total number of values that will come
   * @param most number of values to keep at most
   * @param period values come in rows of this length; places within a row are taken equally often
   */
  constructor(total: number, most: number, period: number) {
    let stride = Math.ceil(total / most);
    while (stride > 1 && greatestCommonDivisor(stride, period) > 1) stride++;
    this.#stride = stride;
    this.#values = new Float32Array(Math.ceil(total / stride));
  }

  /** The values kept so far. */
  get values(): Float32Array {
    return this.#values.subarray(0, this.#kept);
  }

  add(values: Float32Array): void {
    let next = this.#kept * this.#stride - this.#seen;
    for (; next < values.length; next += this.#stride) this.#values[this.#kept++] = values[next];
    this.#seen += values.length;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
