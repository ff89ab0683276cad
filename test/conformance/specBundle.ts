import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

/** tfjs's description of a backend under test. */
interface TestEnvironment {
  readonly name: string;
  readonly backendName: string;
  readonly isDataSync: boolean;
}

/** tfjs-core's published specs. Each function defines its share of them, so jasmine must be there before. */
export interface SpecBundle {
  /** Says which backend the specs of operators run on. */
  readonly setEnvironment: (environment: TestEnvironment) => void;
  /** Specs of operators, gradients, optimizers and tensors. */
  readonly defineOperatorSpecs: () => void;
  /** Specs of what tfjs-core has around them: engine, registries, files, platforms. */
  readonly defineCoreSpecs: () => void;
  /** Number of files inside. */
  readonly files: number;
}

/** Files of specs that a backend must satisfy, in tfjs-core's `dist`. */
const operatorFiles = /^(ops\/|optimizers\/|gradients_test|tape_test|tensor_test|variable_test)/;

/** Bundles every `*_test.js` that tfjs-core publishes, with the parts of tfjs-core that they import, and loads it. */
export async function loadSpecs(): Promise<SpecBundle> {
  const dist = join(dirname(require.resolve("@tensorflow/tfjs-core/package.json")), "dist");
  const all = await readdir(dist, { recursive: true });
  const files = all.map((file) => file.split(sep).join("/")).filter((file) => file.endsWith("_test.js"));
  const requires = (chosen: string[]): string =>
    chosen
      .sort()
      .map((file) => `require(${JSON.stringify(`./${file}`)});`)
      .join("\n");
  const folder = await mkdtemp(join(tmpdir(), "katlab-conformance-"));
  try {
    const outfile = join(folder, "specs.cjs");
    await build({
      stdin: {
        contents: `
          exports.setEnvironment = (environment) => require("./jasmine_util.js").setTestEnvs([environment]);
          exports.defineOperatorSpecs = () => { ${requires(files.filter((file) => operatorFiles.test(file)))} };
          exports.defineCoreSpecs = () => { ${requires(files.filter((file) => !operatorFiles.test(file)))} };`,
        resolveDir: dist,
      },
      bundle: true,
      platform: "node",
      format: "cjs",
      mainFields: ["module", "main"],
      ignoreAnnotations: true, // tfjs declares its specs free of side effects
      outfile,
      logLevel: "error",
    });
    return { ...(require(outfile) as Omit<SpecBundle, "files">), files: files.length };
  } finally {
    await rm(folder, { recursive: true });
  }
}
