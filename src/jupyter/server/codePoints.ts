/** Jupyter counts positions in code points, JavaScript in UTF-16 units; they differ after an emoji. */

/** @returns the UTF-16 offset of a position */
export function unitsOf(code: string, codePoints: number): number {
  let units = 0;
  let left = codePoints;
  for (const character of code) {
    if (left-- <= 0) break;
    units += character.length;
  }
  return units;
}

/** @returns the position of a UTF-16 offset, in code points */
export function codePointsOf(code: string, units: number): number {
  return Array.from(code.slice(0, units)).length;
}
