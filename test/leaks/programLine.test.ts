import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { programLine } from "../../src/leaks/programLine.js";

const own = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
const stack = (...frames: string[]): string =>
  ["Error", ...frames.map((frame) => `    at ${frame}`)].join("\n");

test("the program's line is the first outside katlab, tfjs and Node", () => {
  expect(
    programLine(
      stack(
        "Engine.makeTensor (/srv/app/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js:4416:14)",
        "Engine.track (/srv/app/tfjs-core/src/engine.ts:906:10)",
        `LayerNorm.forward (file://${own("layers/layerNorm.ts")}:40:7)`,
        "Array.map (<anonymous>)",
        `Module.createModel (${own("models/registry.ts")}:20:3)`,
        "loadAll (file:///srv/tfjs-app/src/main.ts:7:13)",
        "node:internal/main/run_main_module:23:47",
      ),
    ),
  ).toEqual({ line: "/srv/tfjs-app/src/main.ts:7:13", callee: "createModel" });
});

test.each([
  ["Object.tensor1d [as tensor1d]", "tensor1d"],
  ["add__op", "add"],
  ["Proxy.add__op", "add"],
  ["variable_", "variable"],
  ["async trainAll", "trainAll"],
  ["new Dense", "Dense"],
])("what it called is named without decoration: %s", (name, callee) => {
  const frames = [`${name} (${own("autodiff.ts")}:1:2)`, "/srv/main.js:7:13"];
  expect(programLine(stack(...frames))).toEqual({ line: "/srv/main.js:7:13", callee });
});

test.each([
  ["file:///srv/a b (c)/main.js:7:13", "/srv/a b (c)/main.js:7:13"],
  ["run (/srv/a b (c)/main.js:7:13)", "/srv/a b (c)/main.js:7:13"],
  ["async cell_3:2:5", "cell_3:2:5"],
])("places are read from %s", (frame, line) => {
  expect(programLine(stack(frame)).line).toBe(line);
});

test("a stack of libraries alone has no line of the program", () => {
  expect(programLine(stack("node:internal/process/task_queues:95:5"))).toEqual({
    line: null,
    callee: undefined,
  });
  expect(programLine("")).toEqual({ line: null, callee: undefined });
});
