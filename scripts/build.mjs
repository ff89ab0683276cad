import { fileURLToPath, pathToFileURL } from "node:url";
import { buildNative } from "./native.mjs";
import { compile } from "./steps/compile.mjs";
import { Fault } from "./terminal/fault.mjs";
import { checkKernelspec } from "./steps/kernelspec.mjs";
import { linkOwnPackage } from "./steps/ownLink.mjs";
import { bundleTfjsRegistrations } from "./steps/tfjsRegistrations.mjs";

/**
 * Builds everything that is built; what is up to date is left alone. A part that fails does not keep the next
 * from being built.
 *
 * @param {{ root: string, log: (line: string) => void, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ faults: Error[], native: { missing: string } | { fault: Error } | { torchVersion: string } }>}
 * `native` is the record of the native build, or why there is none; without it the wasm engine works
 */
export async function build({ root, log, env = process.env }) {
  /** @type {Error[]} */
  const faults = [];
  const part = async (/** @type {string} */ name, /** @type {() => unknown} */ work) => {
    const fault = await timed(name, work, log);
    if (fault !== undefined) faults.push(fault);
  };
  await part("tfjs registrations", () => bundleTfjsRegistrations(root));
  await part("TypeScript", () => compile(root));
  await part("notebook kernel", () => checkKernelspec(root));
  await part("link", () => linkOwnPackage(root));
  /** @type {{ missing: string } | { torchVersion: string }} */
  let native = { missing: "" };
  const fault = await timed(
    "native",
    async () => {
      native = await buildNative({ root, log: (line) => log(line), env });
      return "missing" in native ? `${native.missing} The wasm engine works without it.` : "ready";
    },
    log,
  );
  return { faults, native: fault === undefined ? native : { fault } };
}

/**
 * Does one part and says what was done, or what is wrong.
 *
 * @param {string} name
 * @param {() => unknown} work gives what was done
 * @param {(line: string) => void} log
 * @returns {Promise<Error | undefined>} what is wrong
 */
async function timed(name, work, log) {
  const start = performance.now();
  try {
    const done = await work();
    log(`${name}: ${done} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    return undefined;
  } catch (error) {
    log(error instanceof Fault ? error.message : `${name}: ${/** @type {Error} */ (error).stack}`);
    return /** @type {Error} */ (error);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const { faults, native } = await build({ root, log: (line) => console.log(line) });
  process.exitCode = faults.length > 0 || "fault" in native ? 1 : 0;
}
