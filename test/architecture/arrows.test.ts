import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import arrows from "./arrows.json" with { type: "json" };
import { read, repositoryFiles, root } from "./repository.js";

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

/** Violations of the rules of .dependency-cruiser.cjs in the folder `src` of a tree. */
function violations(tree: string): string[] {
  const program = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [program, "src", "--config", join(root, ".dependency-cruiser.cjs"), "--output-type", "json"],
    { cwd: tree, encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (stdout === "") throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

test("every import follows the arrows", () => {
  expect(violations(root)).toEqual([]);
}, 60_000);

describe("the rules forbid", () => {
  const tree = mkdtempSync(join(tmpdir(), "katlab-arrows-"));
  afterAll(() => rmSync(tree, { recursive: true }));
  copyFileSync(join(root, "tsconfig.json"), join(tree, "tsconfig.json"));
  copyFileSync(join(root, "package.json"), join(tree, "package.json"));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  const sources = {
    "torch/backend.ts": "export const backend = 1;",
    "ops/gelu.ts": 'import { backend } from "../torch/backend.js"; export const gelu: number = backend;',
    "bases/a.ts": 'import { b } from "./b.js"; export const a = (): number => b();',
    "bases/b.ts": 'import { a } from "./a.js"; export const b = (): number => a();',
    "plot/draw.ts": 'import { View } from "vega"; export const draw = View;',
    "data/load.ts": 'import { build } from "vite"; export const load = build;',
  };
  for (const [file, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(tree, "src", file)), { recursive: true });
    writeFileSync(join(tree, "src", file), text);
  }
  const found = violations(tree).join("\n");

  test.each([
    ["arrows against the order", "arrows-of-ops: src/ops/gelu.ts → src/torch/backend.ts"],
    ["circles", "no-circle: src/bases/a.ts → src/bases/b.ts"],
    ["heavy packages at the top of a module", "imported-when-used: src/plot/draw.ts"],
    ["packages that package.json does not name", "only-declared-packages: src/data/load.ts"],
  ])("%s", (_, violation) => {
    expect(found).toContain(violation);
  });
});

test("arrows point one way only", () => {
  const { rooms } = arrows as { rooms: Record<string, string[]> };
  const order = Object.keys(rooms);
  for (const [room, mayImport] of Object.entries(rooms)) {
    for (const other of mayImport) {
      expect(order.indexOf(other), `${room} may import ${other}, which must come before it`).toBeLessThan(
        order.indexOf(room),
      );
      expect(order, `${room} may import ${other}, which is no room`).toContain(other);
    }
  }
});

test("every room has its arrows", () => {
  const there = new Set(
    repositoryFiles()
      .filter((file) => file.startsWith("src/"))
      .map((file) => file.split("/")[1].replace(/\.ts$/, "")),
  );
  expect([...there].filter((name) => name !== "README.md").sort()).toEqual(Object.keys(arrows.rooms).sort());
});

test("docs/architecture.md shows the same arrows", () => {
  const rows = [...read("docs/architecture.md").matchAll(/^\| `(\w+)` +\| ([^|]*) \| [^|]*\|$/gm)];
  const documented = Object.fromEntries(
    rows.map(([, room, names]) => [room, [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name)]),
  );
  expect(documented).toEqual(arrows.rooms);
});
