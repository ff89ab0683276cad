import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, Project, root } from "./project.js";

let project: Project;

beforeAll(() => {
  project = new Project();
  project.install("@tensorflow/tfjs-layers");
}, 120_000);

afterAll(() => project.remove());

/** Runs a program of a project in which the native part is built: here, it is this repository's. */
function run(name: string, text: string): Ended {
  project.write(name, text);
  return project.nodeWith({ KATLAB_NATIVE_BUILD: join(root, "native", "build") }, name);
}

describe("who uses tfjs, and of katlab its backend alone,", () => {
  test("computes and differentiates on torch", () => {
    const ended = run(
      "compute.mjs",
      `import * as tf from "@tensorflow/tfjs-core";
       import "katlab/torch";
       await tf.setBackend("torch");
       const slope = tf.grad((x) => x.square().mean());
       console.log(tf.getBackend(), tf.ones([2, 3]).matMul(tf.ones([3, 2])).dataSync().join(), slope(tf.tensor1d([1, 2])).dataSync().join());`,
    );
    expect(ended).toEqual({ code: 0, stdout: "torch 3,3,3,3 1,2", stderr: "" });
  });

  test.each([
    [
      "import",
      "layers.mjs",
      'import * as tf from "@tensorflow/tfjs-core"; import * as tfl from "@tensorflow/tfjs-layers"; import "katlab/torch";',
    ],
    [
      "import, katlab first",
      "first.mjs",
      'import "katlab/torch"; import * as tf from "@tensorflow/tfjs-core"; import * as tfl from "@tensorflow/tfjs-layers";',
    ],
    [
      "require",
      "layers.cjs",
      'const tf = require("@tensorflow/tfjs-core"), tfl = require("@tensorflow/tfjs-layers"); require("katlab/torch");',
    ],
  ])("trains, saves and loads a model of tf.layers (%s)", (_, name, header) => {
    const ended = run(
      name,
      `${header}
       (async () => {
         await tf.setBackend("torch");
         const model = tfl.sequential({ layers: [
           tfl.layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3, activation: "tanh" }),
           tfl.layers.flatten(),
           tfl.layers.dense({ units: 2, activation: "softmax" }),
         ] });
         model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
         const images = tf.stack([tf.zeros([6, 6, 1]), tf.ones([6, 6, 1])]);
         const labels = tf.tensor2d([[1, 0], [0, 1]]);
         const { history: { loss } } = await model.fit(images, labels, { epochs: 60 });
         await model.save("file://${name}-model");
         const loaded = await tfl.loadLayersModel("file://${name}-model/model.json");
         const apart = tf.max(tf.abs(tf.sub(loaded.predict(images), model.predict(images)))).dataSync()[0];
         console.log(tf.getBackend(), loss.at(-1) < loss[0], apart);
       })();`,
    );
    expect(
      ended.stderr.replace(
        /\(node:\d+\) (ExperimentalWarning|Support for loading ES Module).*\n\(Use .*\n/,
        "",
      ),
    ).toBe("");
    expect(ended).toMatchObject({ code: 0, stdout: "torch true 0" });
    expect(existsSync(join(project.folder, `${name}-model`, "weights.bin"))).toBe(true);
  });

  test("trains the layers of katlab/keras, saves and loads them", () => {
    const ended = run(
      "kan.mjs",
      `import * as tf from "@tensorflow/tfjs-core";
       import * as tfl from "@tensorflow/tfjs-layers";
       import "katlab/torch";
       import { GroupKan, GroupRational } from "katlab/keras";
       await tf.setBackend("torch");
       const model = tfl.sequential({ layers: [
         new GroupKan({ inputShape: [8] }), new GroupRational({ start: "tanh", form: "B" }), tfl.layers.dense({ units: 1 }),
       ] });
       model.compile({ optimizer: "adam", loss: "meanSquaredError" });
       const x = tf.linspace(-1, 1, 32).reshape([4, 8]);
       const { history: { loss } } = await model.fit(x, tf.sum(x, 1, true), { epochs: 20 });
       await model.save("file://kan-model");
       const loaded = await tfl.loadLayersModel("file://kan-model/model.json");
       const apart = tf.max(tf.abs(tf.sub(loaded.predict(x), model.predict(x)))).dataSync()[0];
       console.log(loss.at(-1) < loss[0], apart);`,
    );
    expect(ended).toMatchObject({ code: 0, stdout: "true 0" });
  });

  test("is told why the backend does not start where the native part is not built", () => {
    project.write(
      "unbuilt.mjs",
      `import * as tf from "@tensorflow/tfjs-core";
       import { addonStatus } from "katlab/torch";
       const status = addonStatus();
       console.log(status.available, status.reason.message);
       console.log(await tf.setBackend("torch").catch((error) => error.message));`,
    );
    const { code, stdout } = project.node("unbuilt.mjs");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^false torch: the native part must be built; got no build\. Run /);
    expect(stdout).toMatch(/\nfalse$/);
  });
});
