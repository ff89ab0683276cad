const before = /^\?\s*([\p{ID_Continue}$.]+)$/u;
const behind = /^([\p{ID_Continue}$.]+)\?$/u;

/** The name in a cell that asks for help, `?name` or `name?`; undefined for code. */
export function askedName(code: string): string | undefined {
  const text = code.trim();
  return (before.exec(text) ?? behind.exec(text))?.[1];
}
