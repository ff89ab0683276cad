import path from "node:path";
import ts from "typescript";
import { declaredNames, type DeclaredNames, type NameKind } from "./declaredNames.js";
import { FilesOnDisk, isLibraryFile, ModuleResolver } from "./libraryFiles.js";
import { retainingRegistry } from "./retainingRegistry.js";

/** Code as it stands in a module of its own, below a header line. */
export interface PlacedCode {
  file: string;
  /** Where the code begins in the module's text. */
  offset: number;
  declared: DeclaredNames;
}

/** Which cell a name belongs to now. */
interface Owner {
  cell: number;
  kind: NameKind;
  /** The module that the name is the namespace of. */
  module: string | undefined;
}

/** A host that shares what is known about packages with each new program, as a compiler's host does. */
type CellHost = ts.LanguageServiceHost & Pick<ts.CompilerHost, "getModuleResolutionCache">;

type CellFiles = ts.ModuleResolutionHost & { useCaseSensitiveFileNames(): boolean };

/** The file whose content is the cell being worked on; accepted cells are kept under their own names. */
const currentModule = "__cell__";
const moduleOf = (cell: number): string => `__cell_${cell}__`;

/** Specifiers of cell modules, which exist for the type checker only. */
export const cellSpecifier: RegExp = /^\.\/__cell_(\d+)__$/;

/**
 * Cells as modules of a TypeScript program.
 *
 * Each cell is a module; a one-line header imports the earlier names it mentions, each from the cell that owns
 * it now, and a last line exports what it declares. Only the current cell is a root of the program, so that
 * cells nobody refers to any more cost nothing.
 */
export class CellModules {
  readonly service: ts.LanguageService;
  readonly host: ts.LanguageServiceHost;
  readonly registry: ts.DocumentRegistry;
  readonly resolver: ModuleResolver;
  readonly options: ts.CompilerOptions;
  readonly #folder: string;
  readonly #modules = new Map<string, { text: string; snapshot: ts.IScriptSnapshot; version: string }>();
  readonly #owners = new Map<string, Owner>();
  readonly #augmenting = new Set<string>();
  #version = 0;

  /** @param folder where the notebook is: cells import from there */
  constructor(folder: string, options: ts.CompilerOptions) {
    this.#folder = folder;
    this.options = options;
    this.registry = retainingRegistry(
      ts.createDocumentRegistry(ts.sys.useCaseSensitiveFileNames),
      isLibraryFile,
    );
    const files = this.#moduleFiles();
    this.resolver = new ModuleResolver(folder, options, files);
    this.host = this.#createHost(files, this.resolver);
    this.service = ts.createLanguageService(this.host, this.registry);
  }

  /**
   * Makes code the current cell.
   *
   * @param visible which earlier names it sees: those it mentions (enough to check it) or all (to complete it)
   */
  place(code: string, visible: "mentioned" | "all"): PlacedCode {
    const declared = declaredNames(parse(code));
    const isObject = isObjectLiteral(code);
    const header = `${this.#imports(code, declared, visible)} export {};${isObject ? "(" : ""}\n`;
    const own = [...declared.names.keys()].filter((name) => !declared.exported.has(name));
    const footer = `${isObject ? "\n)" : "\n"};export { ${own.join(", ")} };`;
    return { file: this.#write(currentModule, header + code + footer), offset: header.length, declared };
  }

  /** Keeps the current cell under its own name and makes some of its names visible to later cells. */
  accept(cell: number, text: string, declared: DeclaredNames, names: Iterable<string>): void {
    const file = this.#write(moduleOf(cell), text);
    if (declared.augments) this.#augmenting.add(file);
    for (const name of names) {
      const kind = declared.names.get(name);
      if (kind !== undefined) this.#owners.set(name, { cell, kind, module: declared.namespaces.get(name) });
    }
  }

  /** The name by which earlier cells know all of a module. */
  namespaceOf(module: string): string | undefined {
    return [...this.#owners].find(([, owner]) => owner.module === module)?.[0];
  }

  /** The text of the current cell's module. */
  get currentText(): string {
    return this.#modules.get(this.#path(currentModule))?.text ?? "";
  }

  /** Paths of the modules the program starts from. */
  get roots(): string[] {
    return [this.#path(currentModule), ...this.#augmenting];
  }

  #imports(code: string, declared: DeclaredNames, visible: "mentioned" | "all"): string {
    const mentioned = new Set(code.match(/[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu));
    const constants = new Map<number, string[]>();
    const variables: string[] = [];
    for (const [name, { cell, kind }] of this.#owners) {
      if (declared.names.has(name) || (visible === "mentioned" && !mentioned.has(name))) continue;
      if (kind === "variable") {
        // An import cannot be assigned to; a declaration of the same type can.
        variables.push(`declare let ${name}: typeof import("./${moduleOf(cell)}").${name};`);
      } else {
        constants.set(cell, [...(constants.get(cell) ?? []), name]);
      }
    }
    const imports = [...constants].map(
      ([cell, names]) => `import { ${names.join(", ")} } from "./${moduleOf(cell)}";`,
    );
    return [...imports, ...variables].join(" ");
  }

  #path(module: string): string {
    return path.join(this.#folder, `${module}.ts`);
  }

  #write(module: string, text: string): string {
    const file = this.#path(module);
    this.#modules.set(file, {
      text,
      snapshot: ts.ScriptSnapshot.fromString(text),
      version: String(++this.#version),
    });
    return file;
  }

  /** Modules and files by path, as module resolution looks for them. */
  #moduleFiles(): CellFiles {
    const modules = this.#modules;
    return {
      fileExists: (file) => modules.has(file) || ts.sys.fileExists(file),
      readFile: (file) => modules.get(file)?.text ?? ts.sys.readFile(file),
      directoryExists: (folder) => ts.sys.directoryExists(folder),
      getDirectories: (folder) => ts.sys.getDirectories(folder),
      realpath: (file) => ts.sys.realpath?.(file) ?? file,
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    };
  }

  #createHost(files: CellFiles, resolver: ModuleResolver): CellHost {
    const disk = new FilesOnDisk();
    return {
      ...files,
      getCompilationSettings: () => this.options,
      getScriptFileNames: () => this.roots,
      getScriptVersion: (file) => this.#modules.get(file)?.version ?? disk.version(file),
      getScriptSnapshot: (file) => this.#modules.get(file)?.snapshot ?? disk.snapshot(file),
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      readDirectory: (...search) => ts.sys.readDirectory(...search),
      getModuleResolutionCache: () => resolver.cache,
      resolveModuleNameLiterals: (literals, from, _redirected, options, source) =>
        literals.map((name) =>
          resolver.resolve(name.text, from, ts.getModeForUsageLocation(source, name, options)),
        ),
    };
  }
}

/** Parses code as a module, without checking it. */
export function parse(code: string): ts.SourceFile {
  return ts.createSourceFile("cell.ts", code, ts.ScriptTarget.ES2022, true);
}

/** `{ a: 1 }` alone in a cell is meant as an object, though the grammar makes it a block with a label. */
function isObjectLiteral(code: string): boolean {
  if (!code.trimStart().startsWith("{") || !ts.isBlock(parse(code).statements[0])) return false;
  const wrapped = `(${code}\n)`;
  const [statement, ...rest] = parse(wrapped).statements;
  return (
    rest.length === 0 &&
    ts.isExpressionStatement(statement) &&
    ts.isParenthesizedExpression(statement.expression) &&
    ts.isObjectLiteralExpression(statement.expression.expression) &&
    !hasSyntaxFault(wrapped)
  );
}

/** Whether the parser objects to code. */
export function hasSyntaxFault(code: string): boolean {
  return (ts.transpileModule(code, { reportDiagnostics: true }).diagnostics ?? []).length > 0;
}
