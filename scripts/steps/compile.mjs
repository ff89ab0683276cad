import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fault } from "../terminal/fault.mjs";
import { filesUnder, hashFiles } from "./fileHash.mjs";

/** Called by its path: another package of ours brings an older compiler, which wins `node_modules/.bin/tsc`. */
const compiler = join("node_modules", "typescript", "bin", "tsc");

const inputs = ["src", "tsconfig.json", "tsconfig.build.json", "package-lock.json"];

/**
 * Compiles src into dist, unless nothing changed since the last time.
 *
 * @param {string} root
 * @returns {string} what was done
 * @throws {Fault} when there are type errors; what could be compiled is there all the same
 */
export function compile(root) {
  const dist = join(root, "dist");
  const record = join(dist, "sources.sha256");
  const hash = hashFiles(root, inputs);
  if (existsSync(record) && readFileSync(record, "utf8") === hash) return "up to date";
  mkdirSync(dist, { recursive: true });
  rmSync(record, { force: true });
  removeOrphans(root);
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) {
    const errors = stdout.match(/error TS\d+/g)?.length ?? 0;
    process.stdout.write(stdout);
    throw fault({
      subject: "TypeScript",
      must: "src must compile without type errors",
      got: `${errors}, listed above`,
      remedy: "Correct them and run npm run build again.",
    });
  }
  writeFileSync(record, hash);
  return `${filesUnder(dist).filter((file) => file.endsWith(".js")).length} modules`;
}

/** Removes compiled files whose source is gone, so that nothing can go on importing them. */
function removeOrphans(/** @type {string} */ root) {
  const dist = join(root, "dist");
  for (const file of filesUnder(dist)) {
    const stem = /^(.+?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(relative(dist, file))?.[1];
    if (stem === undefined) continue;
    const sources = [".ts", ".d.ts"].map((ending) => join(root, "src", `${stem}${ending}`));
    if (!sources.some(existsSync)) rmSync(file);
  }
}
