import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * A hash over names and contents, by which a step knows that nothing changed since it last ran.
 *
 * @param {string} root folder that the names are relative to
 * @param {readonly string[]} paths files and folders; what is missing counts as missing
 * @returns {string} 64 hexadecimal digits
 */
export function hashFiles(root, paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => filesUnder(join(root, path))).sort()) {
    hash.update(
      `${relative(root, file)}\0${createHash("sha256").update(readFileSync(file)).digest("hex")}\n`,
    );
  }
  return hash.digest("hex");
}

/**
 * All files in a folder and the folders below it; the path itself when it is a file; nothing when it is missing.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
