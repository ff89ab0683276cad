import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Metafile, Plugin } from "esbuild";
import { mustBe, unavailable } from "../errors.js";

/**
 * Packages that a bundle does not contain: they bring native binaries, or serve what a bare machine does not
 * do (notebooks, pictures). The library may import them only when they are used.
 */
const leftOut = [
  "sharp",
  "zeromq",
  "typescript",
  "tslab",
  "esbuild",
  "plotly.js-dist",
  "@tensorflow/tfjs-node",
  "@tensorflow/tfjs-node-gpu",
];

const options = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: true,
  legalComments: "none", // the licences have a file of their own
  // tfjs's packages call files free of side effects that register their kernels.
  ignoreAnnotations: true,
  logLevel: "silent",
  // CommonJS packages inside an ESM bundle still call require for Node's own modules.
  banner: {
    js: [
      'import { createRequire as katlabCreateRequire } from "node:module";',
      'import { fileURLToPath as katlabFileURLToPath } from "node:url";',
      "const require = katlabCreateRequire(import.meta.url);",
      "const __filename = katlabFileURLToPath(import.meta.url);",
      'const __dirname = katlabFileURLToPath(new URL(".", import.meta.url));',
    ].join("\n"),
  },
} satisfies BuildOptions;

const tfLayers = "@tensorflow/tfjs-layers";
const lazyEntries =
  'export const katlabKeras = () => import("./layers/keras.js");' +
  `export const tfLayers = () => import("${tfLayers}");`;

/**
 * Bundles the library, `katlab/torch` and the command line into one ES module that needs no package; with `keras` also
 * `katlab/keras` and tf.layers, which load when `katlabKeras()` or `tfLayers()` is called.
 * Called as a program it is the command line.
 *
 * @param outfile must lie two folders below the package's root, as every module that looks for files does
 * @returns the licences of all packages inside, as one text
 * @throws KatlabError `unavailable` without esbuild; `invalid` when the library imports a package that is left
 * out before it is used
 */
export async function bundleLibrary(
  outfile: string,
  { keras }: { readonly keras: boolean },
): Promise<string> {
  // This file lies in src/cli or dist/cli: what is packed is the tree it belongs to.
  const tree = fileURLToPath(new URL("../", import.meta.url));
  const metafile = await bundle({
    ...options,
    stdin: {
      contents:
        'export * from "./index.js"; export * from "./torch/backend.js"; import "./cli/main.js";' +
        (keras ? lazyEntries : ""),
      resolveDir: tree,
      sourcefile: join(tree, "bundle.ts"),
      loader: "ts",
    },
    external: keras ? leftOut : [...leftOut, tfLayers],
    plugins: [withoutNotebooks(tree)],
    outfile,
  });
  const eager = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
    imports
      .filter(({ external, kind, path }) => external && kind === "import-statement" && leftOut.includes(path))
      .map(({ path }) => `${path} in ${file}`),
  );
  if (eager.length > 0) {
    throw mustBe({
      subject: "katlab pack",
      must: "packages left out of a bundle must be imported where they are used, by import()",
      got: `import statements for ${eager.join(", ")}`,
      remedy: "Move these imports into the functions that need them.",
    });
  }
  return licences(metafile);
}

/**
 * Bundles one TypeScript program that imports `katlab` into an ES module beside the library.
 *
 * @throws KatlabError `invalid` when it reaches the library by a relative path: the program would have a
 * second engine of its own
 */
export async function bundleProgram(entry: string, outfile: string): Promise<void> {
  const metafile = await bundle({
    ...options,
    entryPoints: [entry],
    external: ["katlab", "katlab/*", tfLayers, ...leftOut],
    outfile,
  });
  const tree = fileURLToPath(new URL("../", import.meta.url));
  const inside = Object.keys(metafile.inputs).find((file) => !relative(tree, file).startsWith(".."));
  if (inside === undefined) return;
  throw mustBe({
    subject: `katlab pack --with ${entry}`,
    must: 'must import the library as "katlab"',
    got: `an import of ${inside}`,
    remedy: 'Write import * as kl from "katlab".',
  });
}

/**
 * Replaces the notebook kernel by a module that says where it is: it needs compilers and sockets, all of
 * which a single file would load at its start.
 */
function withoutNotebooks(tree: string): Plugin {
  const name = "without-notebooks";
  return {
    name,
    setup(build) {
      build.onResolve({ filter: /\/jupyter\// }, () => ({ path: "jupyter", namespace: name }));
      build.onLoad({ filter: /.*/, namespace: name }, () => ({
        resolveDir: tree,
        loader: "ts",
        contents: `import { unavailable } from "./errors.js"; throw unavailable(${JSON.stringify({
          subject: "katlab kernel",
          must: "the notebook kernel must be installed",
          got: "an offline bundle, which has none",
          remedy: "Install katlab by npm where notebooks are to run.",
        })});`,
      }));
    },
  };
}

/** Bundles programs of plain Node, each with what it imports, into files of the same names. */
export async function bundleScripts(entryPoints: string[], outdir: string): Promise<void> {
  await bundle({ ...options, entryPoints, outdir, outExtension: { ".js": ".mjs" } });
}

async function bundle(build: BuildOptions): Promise<Metafile> {
  const esbuild = await import("esbuild").catch((fault: unknown) => {
    throw unavailable(
      {
        subject: "katlab pack",
        must: "esbuild must be installed",
        got: "no such package",
        remedy: "Run npm install esbuild beside katlab.",
      },
      fault,
    );
  });
  const { metafile } = await esbuild.build({ ...build, metafile: true });
  return metafile;
}

/** Name, version, licence and licence text of every package that has a file in the bundle. */
async function licences(metafile: Metafile): Promise<string> {
  const folders = new Set(
    Object.keys(metafile.inputs)
      .map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.split(sep).join("/"))?.[1])
      .filter((folder) => folder !== undefined),
  );
  const texts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const text = await readFile(join(folder, "package.json"), "utf8");
      const { name, version, license = "see its repository" } = JSON.parse(text) as Record<string, string>;
      const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
      const terms = file === undefined ? "" : `\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
      return `${name} ${version}: ${license}\n${terms}`;
    }),
  );
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
