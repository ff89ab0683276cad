import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleLibrary } from "../../src/cli/packBundle.js";
import { addKeras, kerasModule } from "../../src/cli/packKeras.js";
import { copyLibrary, copyPackages, libraryFolder, libraryModule } from "../../src/cli/packLayout.js";

const run = promisify(execFile);
const templates = fileURLToPath(new URL("../../scripts/offline/", import.meta.url));

/** A bundle without Node, and a folder elsewhere. */
let bundle: string;
let elsewhere: string;

beforeAll(async () => {
  [bundle, elsewhere] = await Promise.all(
    ["bundle", "elsewhere"].map((name) => mkdtemp(join(tmpdir(), `katlab-keras-${name}-`))),
  );
  await copyLibrary(bundle, { "./keras": kerasModule });
  await bundleLibrary(join(bundle, libraryFolder, libraryModule), { keras: true });
  await addKeras(bundle);
  await copyPackages(bundle);
  await cp(templates, bundle, { recursive: true });
}, 120_000);

afterAll(() => Promise.all([bundle, elsewhere].map((folder) => rm(folder, { recursive: true }))));

async function output(program: string): Promise<string> {
  const file = join(elsewhere, "program.mjs");
  await writeFile(file, program);
  const { stdout } = await run(process.execPath, [
    "--import",
    pathToFileURL(join(bundle, "register.mjs")).href,
    file,
  ]);
  return stdout;
}

test("katlab/keras and tf.layers of a bundle share the library's TensorFlow.js", async () => {
  const program = `
    import * as tfl from "@tensorflow/tfjs-layers";
    import * as kl from "katlab";
    import { GroupKan, GroupRational } from "katlab/keras";
    await kl.useEngine({ engine: "cpu" });
    const model = tfl.sequential({
      layers: [
        new GroupKan({ inputShape: [8], hiddenDim: 16, form: ["A", "D"] }),
        new GroupRational({ start: "silu" }),
        tfl.layers.dense({ units: 1 }),
      ],
    });
    model.compile({ optimizer: kl.tf.train.adam(0.01), loss: "meanSquaredError" });
    const x = kl.tf.randomNormal([32, 8], 0, 1, "float32", 1);
    const { history } = await model.fit(x, kl.tf.sum(x, 1, true), { epochs: 5 });
    const saved = kl.tf.io.withSaveHandler(async (artifacts) => {
      const again = await tfl.loadLayersModel(kl.tf.io.fromMemory(artifacts));
      console.log(history.loss[4] < history.loss[0], again.layers[0] instanceof GroupKan, again.countParams());
      return {};
    });
    await model.save(saved);`;
  const kan = 6 + 8 * 4 + (8 * 16 + 16) + (6 + 8 * 4) + (16 * 8 + 8);
  expect(await output(program)).toBe(`true true ${kan + (6 + 8 * 4) + (8 + 1)}\n`);
});

test("the library alone does not load them", async () => {
  const program = `
    import * as kl from "katlab";
    console.log(typeof kl.katlabKeras, kl.tf.serialization.SerializationMap.getMap().classNameMap["KatlabGroupKan"]);`;
  expect(await output(program)).toBe("function undefined\n");
});
