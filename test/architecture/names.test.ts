import { basename, dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { isText, read, repositoryFiles } from "./repository.js";

const files = repositoryFiles();
const sources = files.filter((file) => /^src\/.*(?<!\.d)\.ts$/.test(file));

test("no file is named after nothing in particular", () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|shared|stuff|lib|index)(\/|\.[a-z]+$)/i;
  const allowed = ["src/index.ts", "test/index.test.ts"];
  expect(files.filter((file) => vague.test(file) && !allowed.includes(file))).toEqual([]);
});

test("files are named in camelCase after what they export", () => {
  expect(sources.filter((file) => !/^[a-z][A-Za-z0-9]*$/.test(basename(file, ".ts")))).toEqual([]);
});

describe("one stem, one concept", () => {
  // These rooms each hold one side of the same concepts: function, tensor operation, layer, torch, command; and the
  // notebook kernel's engine is another program's word.
  const facets = [
    "src/bases",
    "src/ops",
    "src/layers",
    "src/torch",
    "src/torch/kernels",
    "src/cli",
    "src/jupyter",
  ];

  test("no two files of src share a name", () => {
    const byStem = new Map<string, string[]>();
    for (const file of sources.filter((file) => !facets.includes(dirname(file)))) {
      const stem = basename(file, ".ts");
      byStem.set(stem, [...(byStem.get(stem) ?? []), file]);
    }
    const shared = [...byStem.values()].filter((paths) => paths.length > 1);
    expect(shared).toEqual([]);
  });

  test("tests lie where their sources lie", () => {
    const rooms = new Set(sources.map((file) => file.split("/")[1]).filter((name) => !name.endsWith(".ts")));
    const topLevel = sources.filter((file) => dirname(file) === "src").map((file) => basename(file, ".ts"));
    const orphans = files
      .filter((file) => /^test\/.*\.test\.ts$/.test(file))
      .filter((file) => {
        const room = file.split("/")[1];
        return room.endsWith(".test.ts")
          ? !topLevel.some((stem) => room.startsWith(stem)) // engineChoice.test.ts: an aspect in a process of its own
          : !rooms.has(room) &&
              !["architecture", "conformance", "consumer", "e2e", "notebooks", "scripts"].includes(room);
      });
    expect(orphans).toEqual([]);
  });
});

test("every folder with code says what belongs there", () => {
  const code = /^(src|native|scripts|bench)\/.*\.(ts|mjs|cc|h|cu|py)$/;
  const folders = new Set(files.filter((file) => code.test(file)).map((file) => dirname(file)));
  folders.add("test").add("notebooks").add("data").delete("src");
  expect([...folders].filter((folder) => !files.includes(`${folder}/README.md`)).sort()).toEqual([]);
});

test("nothing points at a machine", () => {
  const path = /(?<![\w.~$}])\/(home|root|Users|work)\/\w/;
  const own = "test/architecture/names.test.ts";
  expect(files.filter((file) => isText(file) && file !== own && path.test(read(file)))).toEqual([]);
});
