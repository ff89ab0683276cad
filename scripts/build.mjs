import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compile } from "./steps/compile.mjs";
import { Fault } from "./terminal/fault.mjs";
import { checkKernelspec } from "./steps/kernelspec.mjs";
import { linkOwnPackage } from "./steps/ownLink.mjs";
import { bundleTfjsRegistrations } from "./steps/tfjsRegistrations.mjs";

/**
 * Builds everything that is built; what is up to date is left alone. A part that fails does not keep the next
 * from being built.
 *
 * @param {{ root: string, log: (line: string) => void }} options
 * @returns {Promise<{ faults: Error[], native: { missing: string } | object }>} `native` is the record of the
 * native build, or why there is none; without it the wasm engine works
 */
export async function build({ root, log }) {
  /** @type {Error[]} */
  const faults = [];
  const part = async (/** @type {string} */ name, /** @type {() => unknown} */ work) => {
    const start = performance.now();
    try {
      const said = await work();
      log(`${name}: ${said} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      faults.push(/** @type {Error} */ (error));
      log(error instanceof Fault ? error.message : `${name}: ${/** @type {Error} */ (error).stack}`);
    }
  };
  /** @type {{ missing: string } | object} */
  let native = { missing: "not built yet" };
  await part("tfjs registrations", () => bundleTfjsRegistrations(root));
  await part("TypeScript", () => compile(root));
  await part("notebook kernel", () => checkKernelspec(root));
  await part("link", () => linkOwnPackage(root));
  await part("native", async () => {
    native = await buildNativePart(root, log);
    return "missing" in native ? `${native.missing} The wasm engine works without it.` : "ready";
  });
  return { faults, native };
}

/** @param {string} root @param {(line: string) => void} log */
async function buildNativePart(root, log) {
  if (!existsSync(join(root, "scripts", "native.mjs")))
    return { missing: "scripts/native.mjs is not there." };
  const { buildNative } = await import("./native.mjs");
  return buildNative({ root, log });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const { faults } = await build({ root, log: (line) => console.log(line) });
  process.exitCode = faults.length > 0 ? 1 : 0;
}
