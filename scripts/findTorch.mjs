import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** @typedef {import("./findTorch.mjs").Torch} Torch */

/** The oldest torch whose headers the native part is written for. */
const oldest = [2, 11];

/**
 * Finds PyTorch without running Python: `KATLAB_TORCH` (a site-packages folder, and then no other), the active
 * environment (virtualenv, conda, or that of `python3` on the path), the repository's own `.venv`.
 *
 * @param {{ root: string, env: Record<string, string | undefined> }} where
 * @returns {Torch | { missing: string }} `missing` is a sentence: what was looked at, and what to do
 */
export function findTorch({ root, env }) {
  const chosen = env.KATLAB_TORCH;
  if (chosen) {
    const torch = readTorch(chosen);
    return typeof torch === "string"
      ? { missing: `torch: KATLAB_TORCH must name ${torch} Correct it or unset it.` }
      : torch;
  }
  const folders = [...activePrefixes(env), join(root, ".venv")].flatMap(sitePackagesOf);
  /** @type {string[]} */
  const refusals = [];
  for (const folder of new Set(folders)) {
    const torch = readTorch(folder);
    if (typeof torch !== "string") return torch;
    if (existsSync(join(folder, "torch"))) refusals.push(torch);
  }
  const wish =
    refusals.length > 0
      ? refusals.map((refusal) => `must be ${refusal}`).join(" ")
      : "must be in the active Python environment or in .venv; got none.";
  return { missing: `torch: ${wish} Run npm start, or name a site-packages folder in KATLAB_TORCH.` };
}

/** @param {Record<string, string | undefined>} env */
function activePrefixes(env) {
  const path = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const python = path.find((folder) => existsSync(join(folder, "python3")));
  const prefix = python && dirname(python);
  // Debian's own Python installs packages of the machine's owner under /usr/local.
  const prefixes = [env.VIRTUAL_ENV, env.CONDA_PREFIX, prefix, prefix === "/usr" ? "/usr/local" : undefined];
  return prefixes.filter((prefix) => prefix !== undefined && prefix !== "").map(String);
}

/** @param {string} prefix */
function sitePackagesOf(prefix) {
  return ["lib", "lib64"]
    .map((folder) => join(prefix, folder))
    .flatMap((lib) => list(lib, /^python3(\.\d+)?$/).map((python) => join(lib, python)))
    .flatMap((python) => ["site-packages", "dist-packages"].map((folder) => join(python, folder)))
    .filter(existsSync);
}

/**
 * @param {string} sitePackages
 * @returns {Torch | string} what the folder should be and is not, as the end of a sentence
 */
function readTorch(sitePackages) {
  const wish = `a site-packages folder with torch ${oldest.join(".")} or newer`;
  const torchDir = join(sitePackages, "torch");
  const versionFile = join(torchDir, "version.py");
  if (!existsSync(versionFile)) return `${wish}; got ${sitePackages} without torch.`;
  const text = readFileSync(versionFile, "utf8");
  const version = assigned(text, "__version__");
  if (version === undefined) return `${wish}; got ${versionFile} without a version.`;
  const [major, minor] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    return `${wish}; got ${version} in ${sitePackages}.`;
  }
  if (assigned(text, "hip") !== undefined)
    return `a CPU or CUDA build; got ${version} for ROCm in ${sitePackages}.`;
  const cuda = existsSync(join(torchDir, "lib", "libc10_cuda.so"));
  const nvrtc = findNvrtc(sitePackages, assigned(text, "cuda"));
  return {
    sitePackages,
    torchDir,
    version,
    cuda,
    ...(nvrtc !== undefined && { nvrtc }),
    ...(cuda && { cudaHeaders: findCudaHeaders(sitePackages) }),
  };
}

/** The string that a line of version.py assigns, with or without a type. @param {string} text @param {string} name */
function assigned(text, name) {
  return new RegExp(`^${name}\\s*(?::[^=]*)?=\\s*['"]([^'"]+)['"]`, "m").exec(text)?.[1];
}

/**
 * NVRTC's name carries CUDA's major version; torch's own comes first.
 *
 * @param {string} sitePackages
 * @param {string | undefined} cudaVersion for example `13.0`
 */
function findNvrtc(sitePackages, cudaVersion) {
  const nvidia = join(sitePackages, "nvidia");
  const found = list(nvidia, /./)
    .map((folder) => join(nvidia, folder, "lib"))
    .flatMap((lib) => list(lib, /^libnvrtc\.so\.\d+$/).map((name) => join(lib, name)))
    .sort((a, b) => soVersion(b) - soVersion(a));
  const own = Number.parseInt(cudaVersion ?? "", 10);
  return found.find((path) => soVersion(path) === own) ?? found[0];
}

/** @param {string} path */
function soVersion(path) {
  return Number(path.slice(path.lastIndexOf(".") + 1));
}

/** Names in a folder that match; none where there is no such folder. @param {string} folder @param {RegExp} pattern */
function list(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort();
}

/**
 * Folders of CUDA's headers, beside torch or in the toolkit; the name of the first header that is in none.
 *
 * @param {string} sitePackages
 * @returns {{ folders: string[] } | { missing: string }}
 */
function findCudaHeaders(sitePackages) {
  const folders = [
    ...["cu13", "cuda_runtime", "cuda_nvcc"].map((part) => join(sitePackages, "nvidia", part)),
    ...[process.env.CUDA_HOME, "/usr/local/cuda"].filter((folder) => folder !== undefined),
  ].map((folder) => join(folder, "include"));
  const headers = ["cuda_runtime_api.h", join("crt", "host_config.h")];
  const found = headers.map((header) => folders.find((folder) => existsSync(join(folder, header))));
  const missing = headers.find((_, i) => found[i] === undefined);
  return missing === undefined
    ? { folders: [...new Set(found.filter((folder) => folder !== undefined))] }
    : { missing };
}
