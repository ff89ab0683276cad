/** Rows of cells as lines of text: the first column to the left, the others to the right, two spaces between them. */
export function alignedRows(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map(([first, ...others]) =>
    [first.padEnd(widths[0]), ...others.map((text, i) => text.padStart(widths[i + 1]))].join("  "),
  );
}
