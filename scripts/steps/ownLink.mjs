import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Links node_modules/katlab to the repository, so that notebooks and programs in it can say `from "katlab"`.
 *
 * @param {string} root
 * @returns {string} what was done
 */
export function linkOwnPackage(root) {
  const link = join(root, "node_modules", "katlab");
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() && readlinkSync(link) === "..") return "node_modules/katlab";
  mkdirSync(join(root, "node_modules"), { recursive: true });
  if (found !== undefined) rmSync(link, { recursive: true });
  symlinkSync("..", link, "dir");
  return "node_modules/katlab";
}
