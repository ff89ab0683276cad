import { accessSync, constants, statfsSync } from "node:fs";
import { fault } from "../terminal/fault.mjs";
import { ask } from "../terminal/program.mjs";

/**
 * @typedef {{ command: string, version: string }} Program
 * @typedef {{ python: Program | { missing: import("../terminal/fault.mjs").Fault }, compiler: Program | { missing: import("../terminal/fault.mjs").Fault } }} Prerequisites
 */

/**
 * What the set-up needs and does not install: Python with venv, and a C++ compiler.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Prerequisites} programs, or what is missing and what to do
 */
export function findPrerequisites(env) {
  return { python: findPython(env), compiler: findCompiler(env) };
}

const install = "On Debian and Ubuntu: sudo apt install";

/** @param {NodeJS.ProcessEnv} env @returns {Program | { missing: import("../terminal/fault.mjs").Fault }} */
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
    return {
      missing: fault({
        subject: "Python",
        must: "must be 3.10 or newer",
        got,
        remedy: `Install it, or name one in KATLAB_PYTHON. ${install} python3 python3-venv.`,
      }),
    };
  }
  // Debian keeps ensurepip, which venv needs, in a package of its own.
  if (ask(python.command, "-c", "import venv, ensurepip; print('there')") === undefined) {
    return {
      missing: fault({
        subject: "Python",
        must: "must have the modules venv and ensurepip",
        got: `${python.version} without them`,
        remedy: `${install} python3-venv.`,
      }),
    };
  }
  return python;
}

/** @param {NodeJS.ProcessEnv} env @returns {Program | { missing: import("../terminal/fault.mjs").Fault }} */
function findCompiler(env) {
  const command = env.CXX || "g++";
  const version = ask(command, "-dumpfullversion", "-dumpversion");
  if (version !== undefined) return { command, version };
  return {
    missing: fault({
      subject: command,
      must: "must be installed",
      got: "no such program",
      remedy: `${install} g++.`,
    }),
  };
}

/**
 * @param {string} folder
 * @throws {Fault} when nothing can be written there
 */
export function needWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw fault({
      subject: folder,
      must: "must be writable, as everything is installed into it",
      got: String(/** @type {NodeJS.ErrnoException} */ (error).code),
      remedy: "Clone the repository into a folder of your own.",
    });
  }
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
  throw fault({
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
