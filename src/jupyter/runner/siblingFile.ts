import { statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { mustBe } from "../../errors.js";

const extensions = ["", ".js", ".mjs", ".cjs", ".json", `${path.sep}index.js`];
const typescript = /\.[cm]?ts$/;

/**
 * The URL of a file beside the notebook, found as the type checker finds it: the extension may be left out, and
 * `./file.js` may be written where the file is TypeScript. Other specifiers, and files that are not there, are
 * left to Node.
 *
 * @param canStripTypes whether this Node runs TypeScript files
 * @throws KatlabError when the file is TypeScript and this Node cannot run it
 */
export function siblingFile(
  specifier: string,
  folder: string,
  canStripTypes: boolean = Boolean((process.features as { typescript?: unknown }).typescript),
): string {
  if (!/^\.{1,2}\//.test(specifier)) return specifier;
  const target = path.resolve(folder, specifier);
  const candidates = [
    ...extensions.map((extension) => target + extension),
    `${target.replace(/\.js$/, "")}.ts`,
  ];
  const file = candidates.find(
    (candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true,
  );
  if (file === undefined) return specifier;
  if (typescript.test(file) && !canStripTypes) {
    throw mustBe({
      subject: specifier,
      must: `must be JavaScript to be imported by Node ${process.versions.node}`,
      got: "TypeScript",
      remedy: "Compile it, put it into a cell, or use Node 22.18 or newer.",
    });
  }
  return pathToFileURL(file).href;
}
