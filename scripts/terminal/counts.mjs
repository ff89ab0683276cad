/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/**
 * Reads the last line of the form `[name: ]N passed, N failed[, N skipped]`.
 *
 * @param {string} output
 * @returns {Counts | undefined}
 */
export function readCounts(output) {
  const lines = [...output.matchAll(/^(?:[\w-]+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)];
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const [passed, failed, skipped] = last.slice(1).map((digits) => Number(digits ?? 0));
  return { passed, failed, skipped };
}

/** @param {Counts} counts @returns {string} */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** @param {readonly Counts[]} counts @returns {Counts} */
export function sumCounts(counts) {
  const sum = (/** @type {keyof Counts} */ key) => counts.reduce((total, each) => total + each[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}
