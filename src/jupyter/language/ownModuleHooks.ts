/** Hooks of Node's module loader, in its own thread, for the user's own files; `runner/ownModules.ts` sets them up. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { InitializeHook, LoadHook, ResolveHook } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { MessagePort } from "node:worker_threads";
import { mustBe } from "../../errors.js";
import { isOwnModule, ownModuleUrl } from "../ownModuleUrl.js";
import type { EmittedModule } from "../runner/ownModules.js";
import { siblingFile } from "../siblingFile.js";

const typescriptFile = /\.m?ts$/;
/** What stands in quotes behind `from` or `import`: enough to follow files; one too many does no harm. */
const relativeImports = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;

let port: MessagePort | undefined;

export const initialize: InitializeHook<{ port: MessagePort }> = (data) => {
  port = data.port;
};

export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const file = isOwnModule(specifier)
    ? fileURLToPath(specifier)
    : isOwnModule(context.parentURL)
      ? siblingFile(specifier, path.dirname(fileURLToPath(context.parentURL)))
      : undefined;
  if (file === undefined) return nextResolve(specifier, context);
  return nextResolve(ownModuleUrl(pathToFileURL(file), versionOf(file)), context);
};

export const load: LoadHook = async (url, context, nextLoad) => {
  if (!isOwnModule(url) || !typescriptFile.test(new URL(url).pathname)) return nextLoad(url, context);
  return { format: "module", source: await emit(url), shortCircuit: true };
};

/** Changes when a file changes, or one of those it imports, by whatever way. */
function versionOf(file: string): string {
  const hash = createHash("sha256");
  const seen = new Set<string>();
  const visit = (at: string): void => {
    if (seen.has(at)) return;
    seen.add(at);
    const { mtimeMs, size } = statSync(at);
    hash.update(`${at}\n${mtimeMs}\n${size}\n`);
    for (const [, specifier] of readFileSync(at, "utf8").matchAll(relativeImports)) {
      const next = siblingFile(specifier, path.dirname(at));
      if (next !== undefined) visit(next);
    }
  };
  visit(file);
  return hash.digest("hex").slice(0, 16);
}

/** A TypeScript file as JavaScript; its types have been checked where a cell imports it. */
async function emit(url: string): Promise<string> {
  const { default: ts } = await import("typescript");
  const file = fileURLToPath(url);
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(readFileSync(file, "utf8"), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      sourceMap: true,
    },
  });
  const fault = diagnostics?.at(0);
  if (fault !== undefined) {
    const { line, character } = fault.file?.getLineAndCharacterOfPosition(fault.start ?? 0) ?? {
      line: 0,
      character: 0,
    };
    throw mustBe({
      subject: `${file}, line ${line + 1}:${character + 1}`,
      must: "must be TypeScript",
      got: ts.flattenDiagnosticMessageText(fault.messageText, "\n").replace(/\.$/, ""),
      remedy: "Mend the file and run the cell again.",
    });
  }
  port?.postMessage({ url, sourceMap: sourceMapText ?? "{}" } satisfies EmittedModule);
  return outputText;
}
