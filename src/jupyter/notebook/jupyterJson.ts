/**
 * JSON as Jupyter writes it, which is Python's `json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)`: a
 * file is the same whoever saves it.
 */
export function jupyterJson(value: unknown, indent = ""): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent} `;
  if (Array.isArray(value)) {
    return enclosed(
      "[]",
      value.map((entry) => jupyterJson(entry, deeper)),
      indent,
    );
  }
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => `${JSON.stringify(key)}: ${jupyterJson(entry, deeper)}`);
  return enclosed("{}", entries, indent);
}

function enclosed(brackets: string, entries: readonly string[], indent: string): string {
  if (entries.length === 0) return brackets;
  const lines = entries.map((entry) => `\n${indent} ${entry}`).join(",");
  return `${brackets[0]}${lines}\n${indent}${brackets[1]}`;
}

/** Python turns to exponents below 0.0001, of two digits at least; JavaScript below 0.000001. */
function numberText(value: number): string {
  if (value === 0 || Math.abs(value) >= 1e-4) return JSON.stringify(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}
