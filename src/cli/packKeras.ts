import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { libraryFolder, libraryModule } from "./packLayout.js";

const tfLayers = "@tensorflow/tfjs-layers";

/** The module of `katlab/keras` in a bundle, beside the library's. */
export const kerasModule: string = join(dirname(libraryModule), "keras.mjs");

/** Whether tf.layers, which is an optional package, is installed here. */
export function hasTfLayers(): boolean {
  try {
    createRequire(import.meta.url).resolve(tfLayers);
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes `katlab/keras` and `@tensorflow/tfjs-layers`, both of which lie in the library's module, so that there is one
 * TensorFlow.js: these files only name what is in it. Loaded when first imported.
 */
export async function addKeras(folder: string): Promise<void> {
  const keras = await import("../layers/keras.js");
  const library = join(folder, libraryFolder);
  await writeFile(join(library, kerasModule), naming("katlabKeras", Object.keys(keras), "./katlab.mjs"));
  const layers = createRequire(import.meta.url)(tfLayers) as Readonly<Record<string, unknown>>;
  const place = join(folder, "node_modules", tfLayers);
  await mkdir(place, { recursive: true });
  const manifest = { name: tfLayers, version: layers.version_layers, license: "Apache-2.0", type: "module" };
  const exported = { ...manifest, exports: "./index.mjs" };
  await writeFile(join(place, "package.json"), `${JSON.stringify(exported, undefined, 2)}\n`);
  await writeFile(join(place, "index.mjs"), naming("tfLayers", Object.keys(layers), "katlab"));
}

/** A module with the names that a function of the library's module loads. */
function naming(loader: string, names: readonly string[], library: string): string {
  return `import { ${loader} } from ${JSON.stringify(library)};\nexport const { ${names.join(", ")} } = await ${loader}();\n`;
}
