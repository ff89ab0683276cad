import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The package's folder. src/cli and dist/cli both lie two levels under it, and so does a bundle's only file. */
export const packageRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/** The version in the package's package.json. */
export function packageVersion(): string {
  const text = readFileSync(`${packageRoot}package.json`, "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
