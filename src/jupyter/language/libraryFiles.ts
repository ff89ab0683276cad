import { statSync } from "node:fs";
import ts from "typescript";

/**
 * Files on disk as the language service sees them. What lies in `node_modules` does not change while a kernel
 * runs: it is read once. The user's own files are looked at again with every cell.
 */
export class FilesOnDisk {
  readonly #snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();

  version(file: string): string {
    if (isLibraryFile(file)) return "library";
    return String(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }

  snapshot(file: string): ts.IScriptSnapshot | undefined {
    const version = this.version(file);
    const known = this.#snapshots.get(file);
    if (known?.version === version) return known.snapshot;
    const text = ts.sys.readFile(file);
    if (text === undefined) return undefined;
    const snapshot = ts.ScriptSnapshot.fromString(text);
    this.#snapshots.set(file, { version, snapshot });
    return snapshot;
  }
}

/** Whether a file belongs to an installed package. */
export function isLibraryFile(file: string): boolean {
  return /[\\/]node_modules[\\/]/.test(file);
}

/**
 * Module names to files. What a library imports is found once; what cells and the user's own files import is
 * looked for again with every cell, so that a package installed meanwhile is seen.
 */
export class ModuleResolver {
  readonly cache: ts.ModuleResolutionCache;
  readonly #options: ts.CompilerOptions;
  readonly #host: ts.ModuleResolutionHost;

  constructor(folder: string, options: ts.CompilerOptions, host: ts.ModuleResolutionHost) {
    this.#options = options;
    this.#host = host;
    const canonical = (file: string): string =>
      ts.sys.useCaseSensitiveFileNames ? file : file.toLowerCase();
    this.cache = ts.createModuleResolutionCache(folder, canonical, options);
  }

  resolve(name: string, from: string, mode: ts.ResolutionMode): ts.ResolvedModuleWithFailedLookupLocations {
    const cache = isLibraryFile(from) ? this.cache : undefined;
    return ts.resolveModuleName(name, from, this.#options, this.#host, cache, undefined, mode);
  }

  /** How Node would load a file: as CommonJS, as ESM, or by its extension alone. */
  formatOf(file: string): ts.ResolutionMode {
    return ts.getImpliedNodeFormatForFile(
      file,
      this.cache.getPackageJsonInfoCache(),
      this.#host,
      this.#options,
    );
  }
}
