import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, extname, join, sep } from "node:path";
import { catalogue, type DatasetName } from "../data/catalogue.js";
import { locate } from "../data/locate.js";
import { mustBe, unavailable } from "../errors.js";
import { bundleProgram, bundleScripts } from "./packBundle.js";
import { packageRoot, packageVersion } from "./packageRoot.js";

/** Where the library lies in a bundle's folder, so that programs beside it can import it by name. */
export const libraryFolder: string = join("node_modules", "katlab");

/** The library's only module, in {@link libraryFolder}; two levels down, as every module that looks for files is. */
export const libraryModule: string = join("dist", "bundle", "katlab.mjs");

/**
 * Writes the library's package.json and copies what it is built from on the other machine.
 *
 * @param entries public entries by name, with their files; those of the library's module are always there
 */
export async function copyLibrary(
  folder: string,
  entries: Readonly<Record<string, string>> = {},
): Promise<void> {
  const library = join(folder, libraryFolder);
  await mkdir(library, { recursive: true });
  const pathOf = (file: string): string => `./${file.split(sep).join("/")}`;
  const module = pathOf(libraryModule);
  const others = Object.entries(entries).map(([name, file]) => [name, pathOf(file)] as const);
  const manifest = {
    name: "katlab",
    version: packageVersion(),
    license: "MIT",
    type: "module",
    exports: {
      ".": module,
      "./torch": module,
      ...Object.fromEntries(others),
      "./package.json": "./package.json",
    },
  };
  await writeFile(join(library, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const file of ["LICENSE", "THIRD_PARTY_NOTICES"]) {
    await copyFile(join(packageRoot, file), join(library, file));
  }
  await cp(join(packageRoot, "native"), join(library, "native"), {
    recursive: true,
    filter: (path) => path !== join(packageRoot, "native", "build"),
  });
  const scripts = ["native.mjs", "findTorch.mjs"].map((script) => join(packageRoot, "scripts", script));
  await bundleScripts(scripts, join(library, "scripts"));
}

/** Copies the packages that are needed as files: headers to build with, and the wasm engine's programs. */
export async function copyPackages(folder: string): Promise<void> {
  await copyPackage("node-api-headers", folder, ["include"]);
  const wasm = ["", "-simd", "-threaded-simd"].map((kind) => join("dist", `tfjs-backend-wasm${kind}.wasm`));
  await copyPackage("@tensorflow/tfjs-backend-wasm", folder, wasm);
}

async function copyPackage(name: string, folder: string, files: readonly string[]): Promise<void> {
  const from = packageFolder(name);
  const to = join(folder, "node_modules", name);
  for (const file of ["package.json", ...files]) {
    await cp(join(from, file), join(to, file), { recursive: true });
  }
}

/** Folder of an installed package, also of one whose exports hide its package.json. */
function packageFolder(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const end = entry.lastIndexOf(join("node_modules", name)) + join("node_modules", name).length;
  return entry.slice(0, end);
}

/**
 * Copies a set into the library's data folder, where it is found first.
 *
 * @throws KatlabError `unavailable` when it is not on this machine
 */
export async function copyData(name: DatasetName, folder: string): Promise<void> {
  const { found, places } = await locate(catalogue[name]);
  if (found === undefined) {
    throw unavailable({
      subject: `katlab pack --data ${name}`,
      must: "must be on this machine",
      got: `none of its files in ${places.join(", ")}`,
      remedy: `Load it once, which downloads it: loadDataset("${name}").`,
    });
  }
  const to = join(folder, libraryFolder, "data", name);
  await mkdir(to, { recursive: true });
  if (found.kind === "pictures") return cp(found.path, to, { recursive: true });
  const paths = found.kind === "files" ? found.paths : [found.path];
  for (const path of paths) await copyFile(path, join(to, basename(path)));
}

/**
 * Puts a program under `scripts/`; TypeScript is bundled into an `.mjs` of the same name.
 *
 * @throws KatlabError `invalid` when two programs have the same name there
 */
export async function addProgram(program: string, folder: string): Promise<void> {
  const scripts = join(folder, "scripts");
  await mkdir(scripts, { recursive: true });
  const typed = [".ts", ".mts"].includes(extname(program));
  const name = typed ? `${basename(program, extname(program))}.mjs` : basename(program);
  if ((await readdir(scripts)).includes(name)) {
    throw mustBe({
      subject: `katlab pack --with ${program}`,
      must: "programs must have different names",
      got: `a second ${name}`,
      remedy: "Rename one of them.",
    });
  }
  if (typed) return bundleProgram(program, join(scripts, name));
  await cp(program, join(scripts, name), { recursive: true }).catch((fault: unknown) => {
    throw unavailable(
      {
        subject: `katlab pack --with ${program}`,
        must: "must be a file that can be read",
        got: (fault as Error).message,
        remedy: "Check the path.",
      },
      fault,
    );
  });
}

/** Copies the bundle's own files: what to read, what to run, and how programs find the library. */
export async function copyOwnFiles(folder: string): Promise<void> {
  await cp(join(packageRoot, "scripts", "offline"), folder, { recursive: true });
  for (const program of ["setup.sh", "katlab"]) await chmod(join(folder, program), 0o755);
}

/** Sizes of the parts of a bundle: what lies directly in it and directly in its `node_modules`. */
export async function measureParts(folder: string): Promise<PackPart[]> {
  const sizes = new Map<string, number>();
  for (const file of await filesUnder(folder)) {
    const [first, second, third] = file.split(sep);
    const part = first === "node_modules" ? join(first, second, second.startsWith("@") ? third : "") : first;
    sizes.set(part, (sizes.get(part) ?? 0) + (await stat(join(folder, file))).size);
  }
  return [...sizes].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** Size of one part of a bundle. */
export interface PackPart {
  readonly name: string;
  readonly bytes: number;
}

/** Writes `SHA256SUMS` over all files, in the form that `sha256sum -c` reads. */
export async function writeChecksums(folder: string): Promise<void> {
  const lines: string[] = [];
  for (const file of await filesUnder(folder)) {
    const digest = createHash("sha256").update(await readFile(join(folder, file)));
    lines.push(`${digest.digest("hex")}  ${file}\n`);
  }
  await writeFile(join(folder, checksumFile), lines.join(""));
}

/** The file by which a folder is known as a bundle. */
export const checksumFile = "SHA256SUMS";

/** Paths of all files under a folder, relative to it, sorted. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
