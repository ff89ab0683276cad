/**
 * Width of text in Helvetica and the fonts made to its measure (Arial, Liberation Sans), for drawing where there is
 * no canvas to measure on.
 */

/** Widths of the characters from space to ~ in thousandths of the font size, from Helvetica's font metrics. */
const widths: readonly number[] = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
  556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
  500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
  556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
  278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const otherWidth = 700;
/** Bold letters are a little wider. */
const boldFactor = 1.07;

/** Width of `text` in units of the figure. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let total = 0;
  for (const character of text) total += widths[character.charCodeAt(0) - 32] ?? otherWidth;
  return (total / 1000) * fontSize * (bold ? boldFactor : 1);
}

/** `text`, cut with … where it would be wider than `most`. */
export function cutToWidth(text: string, most: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= most) return text;
  let cut = text;
  while (cut.length > 1 && textWidth(`${cut}…`, fontSize) > most) cut = cut.slice(0, -1).trimEnd();
  return `${cut}…`;
}
