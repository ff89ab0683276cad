import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../terminal/fault.mjs";
import { findTorch } from "../findTorch.mjs";
import { needRoom } from "./prerequisites.mjs";
import { runLogged } from "../terminal/program.mjs";
import { pipInstall, venvPython } from "./pythonEnvironment.mjs";

/** @typedef {import("../setup.mjs").Step} Step */

const requirement = ["--requirement", join("scripts", "requirements-torch.txt")];
const cudaSize = "about 3 GB to download and 6 GB on the disk";

/** Finds torch, or installs the build of it that fits this machine into `.venv`. @type {Step} */
export const torch = {
  title: "torch",
  expect: "about 1 min; several for a CUDA build",
  current({ root, env }) {
    const found = findTorch({ root, env });
    if (!("missing" in found)) {
      return `${found.version} (${found.cuda ? "CUDA" : "CPU"}) in ${found.sitePackages}`;
    }
    if (!env.KATLAB_TORCH) return undefined;
    throw new Fault({
      subject: "KATLAB_TORCH",
      must: "must name a site-packages folder with torch 2.11 or newer",
      got: found.missing,
      remedy: "Correct it, or unset it to let the set-up find or install torch.",
    });
  },
  async run({ root, env, cuda, compiler, note }) {
    if (process.platform !== "linux" || process.arch !== "x64") {
      note(
        `torch: the torch engine is built for Linux on x86-64; got ${process.platform} on ${process.arch}. The wasm engine works here.`,
      );
      return "not on this platform";
    }
    if (compiler === undefined) return "left out: the torch engine needs g++";
    const driver = hasNvidiaDriver(env);
    needRoom(root, driver || cuda ? 9 : 1.5, "torch");
    if (await installForDriver(root, driver || cuda)) return "installed";
    if (!driver && !cuda) {
      const build = await cudaBuild(root);
      if (build !== undefined) {
        note(
          `torch: the only build that can be reached is ${build}, for NVIDIA GPUs (${cudaSize}), and this machine has no NVIDIA driver. The wasm engine works without it; npm start -- --cuda installs it all the same.`,
        );
        return "left out";
      }
    }
    await pipInstall(root, requirement);
    return "installed";
  },
};

/** The driver leaves these where it is loaded; the last two are those of Linux under Windows. */
function hasNvidiaDriver(/** @type {NodeJS.ProcessEnv} */ env) {
  const signs = [
    "/proc/driver/nvidia/version",
    "/dev/nvidiactl",
    "/dev/dxg",
    "/usr/lib/wsl/lib/libcuda.so.1",
  ];
  return env.CUDA_VISIBLE_DEVICES !== "" && signs.some(existsSync);
}

/**
 * uv knows PyTorch's own indexes and picks the build that fits the driver.
 *
 * @param {string} root
 * @param {boolean} cuda
 * @returns {Promise<boolean>} false when these indexes cannot be reached
 */
async function installForDriver(root, cuda) {
  const backend = `--torch-backend=${cuda ? "auto" : "cpu"}`;
  try {
    await runLogged({
      root,
      name: "uv pip install torch",
      command: join(root, ".venv", "bin", "uv"),
      args: ["pip", "install", "--python", venvPython(root), backend, ...requirement],
    });
    return true;
  } catch (fault) {
    console.log("      PyTorch's own package index did not answer; asking pip's.");
    if (fault instanceof Fault) return false;
    throw fault;
  }
}

/**
 * What pip would install, without downloading it.
 *
 * @param {string} root
 * @returns {Promise<string | undefined>} name of the build when it is one for CUDA
 */
async function cudaBuild(root) {
  const report = await pipInstall(root, ["--dry-run", "--quiet", "--report", "-", ...requirement]);
  /** @type {{ install: { metadata: { name: string, version: string } }[] }} */
  const { install } = JSON.parse(report);
  const packages = install.map(({ metadata }) => metadata);
  if (!packages.some(({ name }) => /^(nvidia|cuda)-/.test(name))) return undefined;
  return `torch ${packages.find(({ name }) => name === "torch")?.version}`;
}
