import { fileURLToPath } from "node:url";

const ownSources = fileURLToPath(new URL("../", import.meta.url));

/** The first line of a stack that is the program's: neither katlab's, nor tfjs's, nor Node's; and what it called. */
export function programLine(stack: string): { line: string | null; callee: string | undefined } {
  let callee: string | undefined;
  for (const frame of stack.split("\n").slice(1)) {
    const match = /^ +at (?:async )?(?:(.+?) \((.+:\d+:\d+)\)|(.+:\d+:\d+))$/.exec(frame);
    if (match === null) continue; // <anonymous>: a function of JavaScript itself
    const [, name = "", placeOfName, place] = match;
    const file = (name === "" ? place : placeOfName).replace(/^file:\/\//, "");
    if (!isLibrary(file)) return { line: file, callee };
    callee = /(\w+?)(?:_|__op)?(?: \[as .+\])?$/.exec(name)?.[1];
  }
  return { line: null, callee };
}

/** With source maps, tfjs's files are named as in its own repository, under a folder that is not there. */
const tfjsSources = /\/tfjs-(core|backend-cpu|backend-wasm|layers|data|converter|node)\/src\//;

function isLibrary(file: string): boolean {
  return (
    file.startsWith(ownSources) ||
    file.startsWith("node:") ||
    file.includes("/node_modules/@tensorflow/") ||
    tfjsSources.test(file)
  );
}
