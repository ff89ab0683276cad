import { build } from "./build.mjs";
import { fault } from "./terminal/fault.mjs";
import { npmPackages } from "./steps/npmPackages.mjs";
import { findPrerequisites, freeGigabytes, needWritable } from "./steps/prerequisites.mjs";
import { pythonEnvironment } from "./steps/pythonEnvironment.mjs";
import { torch } from "./steps/torch.mjs";

/**
 * @typedef {object} Machine what steps work with
 * @property {string} root the repository
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} cuda install a CUDA build of torch even without a driver
 * @property {string} python command
 * @property {string | undefined} compiler command
 * @property {(sentence: string) => void} note keeps what the reader must know at the end
 *
 * @typedef {object} Step
 * @property {string} title
 * @property {string} expect how long it takes
 * @property {(machine: Machine) => string | undefined} current what is there already, if that will do
 * @property {(machine: Machine) => Promise<string>} run does it and says what was done
 */

/** @type {Step} */
const everythingBuilt = {
  title: "build",
  expect: "about 1 min, later a few seconds",
  current: () => undefined,
  async run({ root, env, compiler, note }) {
    const { faults, native } = await build({ root, log: (line) => console.log(`      ${line}`), env });
    if (faults.length > 0) {
      throw fault({
        subject: "build",
        must: "must end without faults",
        got: `${faults.length}, shown above`,
        remedy: "Correct what they name and run the same command again.",
      });
    }
    if ("fault" in native) {
      note("The torch engine could not be built, as shown above. Until then the slower wasm engine works.");
    } else if ("missing" in native && compiler !== undefined) {
      note(`${native.missing} Until then the slower wasm engine works.`);
    }
    if (!("torchVersion" in native)) {
      note(
        'With wasm, set scale to "quick" in the parameters cell of a notebook: "full" takes several times longer.',
      );
    }
    return "ready";
  },
};

/**
 * Prepares a clone: npm packages, the Python environment, torch, everything that is built. What is there already
 * is kept; without torch or a compiler the rest goes on.
 *
 * @param {{ root: string, env?: NodeJS.ProcessEnv, cuda?: boolean, requirements: readonly string[] }} options
 * `requirements` names requirements files in this folder
 * @returns {Promise<{ notes: string[] }>} what does not work, in sentences
 * @throws {Fault} when the rest could not work without a step
 */
export async function setUp({ root, env = process.env, cuda = false, requirements }) {
  const start = performance.now();
  needWritable(root);
  const { python, compiler } = findPrerequisites(env);
  /** @type {string[]} */
  const notes = [];
  const there = [
    `Node ${process.versions.node}`,
    "version" in python ? `Python ${python.version}` : "no Python",
    "version" in compiler ? `${compiler.command} ${compiler.version}` : "no g++",
    `${freeGigabytes(root).toFixed(0)} GB free`,
  ];
  console.log(there.join(" · "));
  if ("missing" in python) {
    console.log(
      'JupyterLab needs Python. Without it the library works in Node: npm ci, npm run build, and import "katlab" from a program in this folder.',
    );
    throw python.missing;
  }
  if ("missing" in compiler) {
    notes.push(
      `${compiler.missing.message} Without it there is no torch engine; the slower wasm engine works.`,
    );
    console.log(notes[0]);
  }
  const machine = {
    root,
    env,
    cuda,
    python: python.command,
    compiler: "command" in compiler ? compiler.command : undefined,
    note: (/** @type {string} */ sentence) => void notes.push(sentence),
  };
  const steps = [npmPackages, pythonEnvironment(requirements), torch, everythingBuilt];
  for (const [index, step] of steps.entries()) await take(step, `[${index + 1}/${steps.length}]`, machine);
  console.log(`Set up in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return { notes };
}

/** @param {Step} step @param {string} place @param {Machine} machine */
async function take(step, place, machine) {
  const current = step.current(machine);
  if (current !== undefined) return console.log(`${place} ${step.title}: ${current}`);
  console.log(`${place} ${step.title}: ${step.expect}`);
  const start = performance.now();
  const done = await step.run(machine);
  console.log(`      ${done} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}
