import { statSync } from "node:fs";
import path from "node:path";

const extensions = ["", ".js", ".mjs", ".cjs", ".json", ".ts", `${path.sep}index.js`, `${path.sep}index.ts`];

/**
 * A file beside the notebook, or beside another such file, found as the type checker finds it: the extension may be
 * left out, and `./file.js` may be written where the file is TypeScript.
 *
 * @returns its path; undefined for other specifiers, files that are not there, and those of packages
 */
export function siblingFile(specifier: string, folder: string): string | undefined {
  if (!/^\.{1,2}\//.test(specifier)) return undefined;
  const target = path.resolve(folder, specifier);
  const candidates = [
    ...extensions.map((extension) => target + extension),
    target.replace(/\.([cm]?)js$/, ".$1ts"),
  ];
  const file = candidates.find(
    (candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true,
  );
  return file?.includes(`${path.sep}node_modules${path.sep}`) === true ? undefined : file;
}
