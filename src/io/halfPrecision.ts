/**
 * Widens IEEE 754 half precision (1 sign, 5 exponent, 10 fraction bits) to float32. Exact for every value;
 * NaN stays NaN.
 *
 * @param bits the 16-bit patterns
 */
export function widenFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (pattern) => {
    const sign = pattern & 0x8000 ? -1 : 1;
    const exponent = (pattern >> 10) & 0x1f;
    const fraction = pattern & 0x3ff;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/**
 * Widens bfloat16, the upper half of a float32, to float32. Exact for every value.
 *
 * @param bits the 16-bit patterns
 */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const wide = Uint32Array.from(bits, (pattern) => pattern << 16);
  return new Float32Array(wide.buffer);
}
