import { statfsSync } from "node:fs";
import { Fault } from "../terminal/fault.mjs";
import { ask } from "../terminal/program.mjs";

/**
 * @typedef {{ command: string, version: string }} Program
 * @typedef {{ python: Program | { missing: string }, compiler: Program | { missing: string } }} Prerequisites
 */

/**
 * What the set-up needs and does not install: Python with venv, and a C++ compiler.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Prerequisites} programs, or sentences that say what is missing and what to do
 */
export function findPrerequisites(env) {
  return { python: findPython(env), compiler: findCompiler(env) };
}

const install = "On Debian and Ubuntu: sudo apt install";

/** @param {NodeJS.ProcessEnv} env @returns {Program | { missing: string }} */
function findPython(env) {
  const probe = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
  const commands = env.KATLAB_PYTHON ? [env.KATLAB_PYTHON] : ["python3", "python"];
  const found = commands
    .map((command) => ({ command, version: ask(command, "-c", probe) ?? "" }))
    .filter(({ version }) => version !== "");
  const python = found.find(({ version }) => {
    const [major, minor] = version.split(".").map(Number);
    return major === 3 && minor >= 10;
  });
  if (python === undefined) {
    const got = found.length > 0 ? found.map(({ version }) => version).join(", ") : "none";
    const remedy = `Install it, or name one in KATLAB_PYTHON. ${install} python3 python3-venv.`;
    return { missing: `Python: must be 3.10 or newer; got ${got}. ${remedy}` };
  }
  // Debian keeps ensurepip, which venv needs, in a package of its own.
  if (ask(python.command, "-c", "import venv, ensurepip; print('there')") === undefined) {
    return {
      missing: `Python: must have the modules venv and ensurepip; got ${python.version} without them. ${install} python3-venv.`,
    };
  }
  return python;
}

/** @param {NodeJS.ProcessEnv} env @returns {Program | { missing: string }} */
function findCompiler(env) {
  const command = env.CXX || "g++";
  const version = ask(command, "-dumpfullversion", "-dumpversion");
  if (version !== undefined) return { command, version };
  return { missing: `g++: must be installed; got none. ${install} g++.` };
}

/**
 * @param {string} folder
 * @param {number} gigabytes
 * @param {string} what that needs the room
 * @throws {Fault} when the disk has less
 */
export function needRoom(folder, gigabytes, what) {
  const free = freeGigabytes(folder);
  if (free >= gigabytes) return;
  throw new Fault({
    subject: what,
    must: `needs ${gigabytes} GB on the disk of ${folder}`,
    got: `${free.toFixed(1)} GB`,
    remedy: "Make room and run the same command again.",
  });
}

/** @param {string} folder @returns {number} room on its disk for this user */
export function freeGigabytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / 1e9;
}
