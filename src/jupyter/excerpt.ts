/** A line of a cell with a caret under the place that matters, as two lines of a traceback. */
export function excerpt(line: string, column: number, length = 1): string {
  const indent = line.slice(0, column - 1).replace(/[^\t]/g, " ");
  return `    ${line}\n    ${indent}${"^".repeat(length)}`;
}

/** The head of a traceback, in the colour notebooks use for errors. */
export function red(text: string): string {
  return `\u001b[31m${text}\u001b[39m`;
}
