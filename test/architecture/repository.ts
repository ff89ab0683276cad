import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder, without a slash at its end. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

const textual = new Set(
  "ts js mjs cjs json md py cc h cu txt yml yaml sh html css ipynb toml cfg"
    .split(" ")
    .map((end) => `.${end}`),
);

/** Paths of all files that are committed or about to be, relative to the root. */
export function repositoryFiles(): string[] {
  const options = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const output = execFileSync("git", options, { cwd: root, encoding: "utf8" });
  const deleted = new Set(
    execFileSync("git", ["ls-files", "--deleted"], { cwd: root, encoding: "utf8" }).split("\n"),
  );
  return output.split("\n").filter((file) => file !== "" && !deleted.has(file));
}

/** Whether a file is text that people write or read. */
export function isText(file: string): boolean {
  const ending = extname(file);
  return ending === "" ? !file.includes("/fashion-mnist/") : textual.has(ending);
}

/** Text of a file of the repository. */
export function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
