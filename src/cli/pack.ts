import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { Command, Option } from "commander";
import { catalogue, type DatasetName } from "../data/catalogue.js";
import { mustBe, unavailable } from "../errors.js";
import { bundleLibrary } from "./packBundle.js";
import { addKeras, hasTfLayers, kerasModule } from "./packKeras.js";
import {
  addProgram,
  checksumFile,
  copyData,
  copyLibrary,
  copyOwnFiles,
  copyPackages,
  libraryFolder,
  libraryModule,
  measureParts,
  type PackPart,
  writeChecksums,
} from "./packLayout.js";
import { packNode } from "./packNode.js";

/** What {@link pack} takes. */
export interface PackOptions {
  /** Folder to make, or an archive where it ends in `.tar`, `.tar.gz` or `.tgz`. */
  out: string;
  /** Sets to include. */
  data?: readonly DatasetName[];
  /** Programs to include under `scripts/`; TypeScript is bundled into `.mjs`. */
  with?: readonly string[];
  /** Told what is being done (default: nobody). */
  log?: (line: string) => void;
}

/** `katlab pack`: a bundle for machines without network and without Node. */
export function packCommand(): Command {
  return new Command("pack")
    .description("make an offline bundle (Node, library, native sources) for machines without network")
    .option("-o, --out <path>", "folder to make, or a .tar, .tar.gz or .tgz file", "build/katlab-offline")
    .addOption(new Option("--data <names...>", "data sets to include").choices(Object.keys(catalogue)))
    .option("--with <files...>", "programs to include under scripts/; .ts files are bundled")
    .action(async (options: PackOptions) => {
      const parts = await pack({ ...options, log: (line) => console.error(line) });
      console.log(formatParts(options.out, parts));
    });
}

/**
 * Makes the bundle. It appears at `out` only when it is complete; an older bundle there is replaced.
 * On the other machine (Linux x86-64 with Python, torch and g++): `bash setup.sh`.
 *
 * @returns the sizes of its parts, largest first
 * @throws KatlabError `unavailable` for a program or file that is missing, `invalid` for an `out` that is
 * something else than a bundle, and for programs that cannot be included
 */
export async function pack(options: PackOptions): Promise<PackPart[]> {
  const { data = [], with: programs = [], log = () => undefined } = options;
  const out = resolve(options.out);
  await checkReplaceable(out);
  await mkdir(dirname(out), { recursive: true });
  const work = await mkdtemp(join(dirname(out), ".katlab-pack-"));
  try {
    const folder = join(work, "katlab-offline");
    log("bundling the library");
    const keras = hasTfLayers();
    if (!keras) log("without katlab/keras: @tensorflow/tfjs-layers is not installed here");
    await copyLibrary(folder, keras ? { "./keras": kerasModule } : {});
    const licences = await bundleLibrary(join(folder, libraryFolder, libraryModule), { keras });
    if (keras) await addKeras(folder);
    await writeFile(join(folder, libraryFolder, "THIRD_PARTY_LICENCES"), licences);
    await copyPackages(folder);
    for (const name of data) await copyData(name, folder);
    for (const program of programs) await addProgram(program, folder);
    await copyOwnFiles(folder);
    await packNode(join(folder, "node"), log);
    const parts = await measureParts(folder);
    await writeChecksums(folder);
    await deliver(folder, out);
    return parts;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The parts as an aligned table with their sum. */
export function formatParts(out: string, parts: readonly PackPart[]): string {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = [...parts, { name: out, bytes: total }].map(
    ({ name, bytes }) => `${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${name}`,
  );
  return rows.join("\n");
}

const isArchive = (path: string): boolean => /\.(tar|tar\.gz|tgz)$/.test(path);

/** An archive may be replaced, a folder only where it is a bundle: `--out .` must not cost anybody their files. */
async function checkReplaceable(out: string): Promise<void> {
  if (isArchive(out)) return;
  const entries = await readdir(out).catch((fault: unknown): string[] => {
    if ((fault as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fault;
  });
  if (entries.length === 0 || entries.includes(checksumFile)) return;
  throw mustBe({
    subject: `katlab pack --out ${out}`,
    must: "must be a new folder or an older bundle",
    got: `a folder with ${entries.length} other entries`,
    remedy: "Name another folder.",
  });
}

async function deliver(folder: string, out: string): Promise<void> {
  if (!isArchive(out)) {
    await rm(out, { recursive: true, force: true });
    await rename(folder, out);
    return;
  }
  const archive = `${folder}.tar`;
  const mode = out.endsWith(".tar") ? "-cf" : "-czf";
  await promisify(execFile)("tar", [mode, archive, "-C", dirname(folder), "katlab-offline"]).catch(
    (fault: unknown) => {
      throw unavailable(
        {
          subject: "katlab pack",
          must: "tar must work",
          got: (fault as Error).message.trim(),
          remedy: "Give --out a folder.",
        },
        fault,
      );
    },
  );
  await rename(archive, out);
}
