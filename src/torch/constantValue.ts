/**
 * The one value that all elements have, or `undefined` where they differ or there are none.
 * NaN equals NaN here and −0 differs from 0, so that a tensor filled with the value is the same bit for bit.
 */
export function constantValue(values: ArrayLike<number>): number | undefined {
  if (values.length === 0) return undefined;
  const first = values[0];
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return undefined;
  return first;
}
