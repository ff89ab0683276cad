import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { needRoom } from "./prerequisites.mjs";
import { runLogged } from "../terminal/program.mjs";

/** @typedef {import("../setup.mjs").Step} Step */

/** @type {Step} */
export const npmPackages = {
  title: "npm packages",
  expect: "about 30 s",
  current: ({ root }) => (installed(root) ? "up to date" : undefined),
  async run({ root, env }) {
    needRoom(root, 0.8, "npm packages");
    const [command, ...args] = npm(env);
    await runLogged({ root, name: "npm ci", command, args: [...args, "ci", "--prefer-offline"] });
    return "installed";
  },
};

/** npm's command line: the npm that started this program, or the one on the PATH. */
export function npm(/** @type {NodeJS.ProcessEnv} */ env) {
  const running = env.npm_execpath ?? "";
  return basename(running) === "npm-cli.js" ? [process.execPath, running] : ["npm"];
}

/**
 * Whether node_modules holds what the lockfile says. npm writes its own list of what it installed when it is
 * done, so a broken-off installation has none.
 */
function installed(/** @type {string} */ root) {
  const list = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(list)) return false;
  const wanted = readPackages(join(root, "package-lock.json"));
  const there = readPackages(list);
  return Object.entries(wanted).every(
    ([path, { version, optional, peer }]) =>
      path === "" || there[path]?.version === version || ((optional || peer) && there[path] === undefined),
  );
}

/** @param {string} lockfile @returns {Record<string, { version: string, optional?: boolean, peer?: boolean }>} */
function readPackages(lockfile) {
  return JSON.parse(readFileSync(lockfile, "utf8")).packages;
}
