import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, root } from "./project.js";

let project: Project;

beforeAll(() => {
  project = new Project();
}, 120_000);

afterAll(() => project.remove());

test("the package holds what is needed to run and to build, and nothing else", () => {
  for (const path of ["README.md", "LICENSE", "THIRD_PARTY_NOTICES", "dist/index.js", "dist/index.d.ts"]) {
    expect(project.published).toContain(path);
  }
  expect(project.published).toContain("share/jupyter/kernels/katlab/kernel.json");
  expect(project.published).toContain("native/ops/rational.cc");
  const strays = project.published.filter((path) =>
    /^(src|test|bench|docs|data|native\/build)\/|\.venv|\.tsbuildinfo/.test(path),
  );
  expect(strays).toEqual([]);
});

test("every entry of package.json is in the package", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  const files = [
    manifest.main,
    manifest.types,
    manifest.bin.katlab,
    ...Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    ),
    ...Object.values(manifest.typesVersions["*"]).flat(),
  ];
  for (const file of files) expect(project.published).toContain(file.replace(/^\.\//, ""));
});

describe("is loaded by", () => {
  test("import", () => {
    project.write(
      "program.mjs",
      'import * as kl from "katlab"; import * as torch from "katlab/torch"; console.log(typeof kl.useEngine, typeof torch.registerTorchBackend);',
    );
    expect(project.node("program.mjs")).toMatchObject({ code: 0, stdout: "function function", stderr: "" });
  });

  test("require, and it is the same instance", () => {
    project.write(
      "program.cjs",
      'const kl = require("katlab"); import("katlab").then((again) => console.log(kl.useEngine === again.useEngine, kl.tf.engine() === again.tf.engine()));',
    );
    expect(project.node("--no-warnings", "program.cjs")).toMatchObject({ code: 0, stdout: "true true" });
  });
});

test("without its native part it computes with wasm, and says why", () => {
  project.write(
    "engine.mjs",
    `import * as kl from "katlab";
     const { engine, skipped } = await kl.useEngine();
     const y = kl.tf.tidy(() => kl.tf.matMul(kl.tf.ones([2, 3]), kl.tf.ones([3, 2])).dataSync());
     console.log(JSON.stringify({ engine, torch: skipped[0], y: [...y] }));`,
  );
  const { code, stdout, stderr } = project.node("engine.mjs");
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout) as {
    engine: string;
    torch: { engine: string; reason: string };
    y: number[];
  };
  expect(result).toMatchObject({ engine: "wasm", torch: { engine: "torch" }, y: [3, 3, 3, 3] });
  expect(result.torch.reason).toMatch(/^torch: .+; got .+\. .+\.$/);
});

describe("its types are read by", () => {
  const program = `import * as kl from "katlab";
import { registerTorchBackend } from "katlab/torch";

export async function main(): Promise<number> {
  registerTorchBackend();
  const { engine } = await kl.useEngine();
  const data = await kl.loadDataset("fashion-mnist", { limit: { train: 64, test: 64 } });
  const model = kl.createModel("kat_test_patch7_28", { classes: data.classes.length });
  const run = await kl.train(model, data, { epochs: 1, seed: 1 });
  const product: kl.tf.Tensor = kl.tf.ones([2, 2]).matMul(kl.tf.ones([2, 2]));
  // @ts-expect-error no such option
  await kl.train(model, data, { epoch: 1 });
  return engine.length + run.seconds + product.size;
}
`;
  const newest = join(root, "node_modules", "typescript", "bin", "tsc");
  // The compiler of tslab's notebook kernel.
  const oldest = join(root, "node_modules", "@tslab", "typescript-for-tslab", "bin", "tsc");

  test.each([
    ["TypeScript 6, NodeNext", newest, { module: "NodeNext", moduleResolution: "NodeNext" }],
    ["TypeScript 6, Bundler", newest, { module: "ESNext", moduleResolution: "Bundler" }],
    ["TypeScript 5.0, Node10", oldest, { module: "ESNext", moduleResolution: "node" }],
    ["TypeScript 5.0, Bundler", oldest, { module: "ESNext", moduleResolution: "Bundler" }],
  ])(
    "%s",
    (_, compiler, resolution) => {
      expect(existsSync(compiler)).toBe(true);
      project.write("types/program.ts", program);
      project.write("types/package.json", '{ "type": "module" }');
      const compilerOptions = {
        ...resolution,
        target: "ES2022",
        lib: ["ES2022"],
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
      };
      project.write("types/tsconfig.json", JSON.stringify({ compilerOptions, files: ["program.ts"] }));
      expect(project.node(compiler, "-p", "types")).toMatchObject({ code: 0, stdout: "" });
    },
    60_000,
  );
});
