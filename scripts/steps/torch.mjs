import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault, fault } from "../terminal/fault.mjs";
import { findTorch } from "../findTorch.mjs";
import { needRoom } from "./prerequisites.mjs";
import { runLogged } from "../terminal/program.mjs";
import { pipInstall, venvPython } from "./pythonEnvironment.mjs";

/** @typedef {import("../setup.mjs").Step} Step */

const requirement = ["--requirement", join("scripts", "requirements-torch.txt")];
/** Without network, or for a CUDA without this package, only CUDA graphs are missing; compileStep says so. */
const cudaHeaders = ["--requirement", join("scripts", "requirements-cuda.txt")];
const cudaSize = "about 3 GB to download and 6 GB on the disk";

/** Finds torch, or installs the build of it that fits this machine into `.venv`. @type {Step} */
export const torch = {
  title: "torch",
  expect: "about 1 min; several for a CUDA build",
  current({ root, env, cuda, note }) {
    const found = findTorch({ root, env });
    if (!("missing" in found)) {
      if (!found.cuda && cuda && !env.KATLAB_TORCH) return undefined;
      if (!found.cuda && hasNvidiaDriver(env)) {
        note(
          "torch: this machine has an NVIDIA driver, but this torch is built for the CPU. npm start -- --cuda installs one for the GPU.",
        );
      }
      return `${found.version} (${found.cuda ? "CUDA" : "CPU"}) in ${found.sitePackages}`;
    }
    if (env.KATLAB_TORCH) throw new Fault(found.missing);
    return undefined;
  },
  async run(machine) {
    const { compiler, note } = machine;
    if (process.platform !== "linux" || process.arch !== "x64") {
      note(
        `torch: the torch engine is built for Linux on x86-64; got ${process.platform} on ${process.arch}. The wasm engine works here.`,
      );
      return "not on this platform";
    }
    if (compiler === undefined) return "left out, as the torch engine needs g++";
    try {
      await install(machine);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      note(`${error.message} Until then the slower wasm engine works.`);
      return "left out";
    }
    const found = findTorch(machine);
    if ("cudaHeaders" in found && found.cudaHeaders !== undefined && "missing" in found.cudaHeaders) {
      await pipInstall(machine.root, cudaHeaders).catch((error) => note(String(error.message)));
    }
    return "installed";
  },
};

/**
 * @param {import("../setup.mjs").Machine} machine
 * @throws {Fault} when torch cannot be installed, or should not without being asked for
 */
async function install({ root, env, cuda }) {
  const driver = hasNvidiaDriver(env);
  needRoom(root, driver || cuda ? 9 : 1.5, "torch");
  // Without a driver only pip's own index can be asked for a CUDA build: uv would choose one for the CPU.
  if ((cuda && !driver) || !(await installForDriver(root, driver, cuda))) {
    const build = driver || cuda ? undefined : await cudaBuild(root);
    if (build !== undefined) {
      throw fault({
        subject: "torch",
        must: "must be a build for this machine, which has no NVIDIA driver",
        got: `only ${build} for NVIDIA GPUs (${cudaSize})`,
        remedy: "npm start -- --cuda installs it all the same.",
      });
    }
    await pipInstall(root, [...(cuda ? ["--force-reinstall"] : []), ...requirement]);
  }
  const found = findTorch({ root, env });
  if ("missing" in found) throw new Fault(found.missing);
}

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
 * @param {boolean} driver
 * @param {boolean} replace the build that is there
 * @returns {Promise<boolean>} false when these indexes cannot be reached
 */
async function installForDriver(root, driver, replace) {
  const args = [
    ...["pip", "install", "--python", venvPython(root), `--torch-backend=${driver ? "auto" : "cpu"}`],
    ...(replace ? ["--reinstall"] : []),
    ...requirement,
  ];
  try {
    await runLogged({
      root,
      name: "uv pip install torch",
      command: join(root, ".venv", "bin", "uv"),
      args,
    });
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    console.log("      PyTorch's own package index did not answer; asking pip's.");
    return false;
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
