import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLab } from "./jupyter/lab.mjs";
import { executeNotebooks } from "./jupyter/executeNotebooks.mjs";
import { setUp } from "./setup.mjs";
import { readCommandLine } from "./terminal/commandLine.mjs";
import { fault } from "./terminal/fault.mjs";
import { runScript } from "./terminal/runScript.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const quickStart = join("notebooks", "00-quick-start.ipynb");

await runScript(async (args) => {
  const { flags } = readCommandLine(
    {
      command: "npm start --",
      purpose: "Sets everything up and opens JupyterLab on the quick start.",
      flags: {
        headless: { type: "boolean", help: "run the quick start here instead, and print its result" },
        port: {
          type: "string",
          value: "<port>",
          help: "port of JupyterLab (default: the first free one from 8888)",
        },
        ip: {
          type: "string",
          value: "<address>",
          help: "address to listen on, 0.0.0.0 in a container (default: localhost)",
        },
        "no-browser": { type: "boolean", help: "print the address only" },
        cuda: { type: "boolean", help: "install the CUDA build of torch even without an NVIDIA driver" },
      },
    },
    args,
  );
  const port = readPort(flags.port);
  const { notes } = await setUp({ root, cuda: flags.cuda, requirements: ["requirements.txt"] });
  for (const note of notes) console.log(`! ${note}`);
  if (flags.headless) {
    const { failed } = await executeNotebooks({ root, files: [quickStart], scale: "quick", show: true });
    return failed === 0 ? 0 : 1;
  }
  const lab = await startLab({
    root,
    notebook: quickStart.replaceAll("\\", "/"),
    ip: flags.ip,
    port,
    browser: !flags["no-browser"] && hasDesktop(process.env),
  });
  console.log(`\nJupyterLab: ${lab.url}`);
  if (process.env.SSH_CONNECTION) {
    const { username } = userInfo();
    console.log(
      `On your own machine: ssh -L ${lab.port}:localhost:${lab.port} ${username}@${hostname()}, then open that address there.`,
    );
  }
  console.log(`Ctrl-C stops JupyterLab and its kernels. Its log: ${lab.log}`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      console.log("\nStopping JupyterLab and its kernels.");
      void lab.stop();
    });
  }
  await lab.ended;
  return 0;
});

/** @param {string | undefined} text @returns {number | undefined} */
function readPort(text) {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw fault({
    subject: "npm start -- --port",
    must: "must be a whole number from 1 to 65535",
    got: text,
    remedy: "Leave it out for the first free port.",
  });
}

/** Whether a browser opened here would be seen by the person who typed the command. */
function hasDesktop(/** @type {NodeJS.ProcessEnv} */ env) {
  if (env.SSH_CONNECTION || existsSync("/.dockerenv")) return false;
  return process.platform !== "linux" || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}
