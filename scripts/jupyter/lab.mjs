import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { venvPython } from "../steps/pythonEnvironment.mjs";
import { fault } from "../terminal/fault.mjs";
import { jupyterEnvironment } from "./environment.mjs";

/**
 * Starts JupyterLab and waits until it answers.
 *
 * @param {object} options
 * @param {string} options.root served folder
 * @param {string} options.notebook opened first, relative to root
 * @param {string} [options.ip] address that it listens on
 * @param {number} [options.port] tried alone; by default the first free one from 8888
 * @param {boolean} [options.browser] open a browser
 * @param {readonly string[]} [options.args] more arguments of JupyterLab
 * @param {NodeJS.ProcessEnv} [options.env]
 * @returns {Promise<Lab>}
 *
 * @typedef {object} Lab
 * @property {string} url of the notebook, with the token
 * @property {number} port
 * @property {string} log path of its log
 * @property {() => Promise<void>} stop ends it and its kernels
 * @property {Promise<void>} ended
 */
export async function startLab({
  root,
  notebook,
  ip = "localhost",
  port,
  browser = false,
  args = [],
  env = process.env,
}) {
  const chosen = port === undefined ? await freePort(ip) : await requirePort(ip, port);
  const token = randomBytes(24).toString("hex");
  const log = join(root, ".katlab", "logs", "jupyterlab.log");
  mkdirSync(join(root, ".katlab", "logs"), { recursive: true });
  const output = openSync(log, "w");
  const page = `/lab/tree/${notebook}`;
  const child = spawn(
    venvPython(root),
    [
      ...[
        "-m",
        "jupyterlab",
        `--ServerApp.ip=${ip}`,
        `--ServerApp.port=${chosen}`,
        "--ServerApp.port_retries=0",
      ],
      ...[`--ServerApp.root_dir=${root}`, `--LabApp.default_url=${page}`],
      "--MultiKernelManager.default_kernel_name=katlab",
      // The server would drop text beyond 1 MB/s; the kernel joins and paces it already.
      "--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=1000000000",
      "--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=100000",
      ...(browser ? [] : ["--no-browser"]),
      ...(process.getuid?.() === 0 ? ["--allow-root"] : []),
      ...args,
    ],
    {
      cwd: root,
      // Not on the command line, which every user of the machine can read.
      env: { ...jupyterEnvironment(root, env), JUPYTER_TOKEN: token },
      stdio: ["ignore", output, output],
      // In a group of its own Ctrl-C does not reach it: JupyterLab would ask back on the terminal.
      detached: true,
    },
  );
  /** @type {Promise<void>} */
  const ended = new Promise(
    (resolve) => void child.on("close", () => resolve()).on("error", () => resolve()),
  );
  let running = true;
  void ended.then(() => (running = false));
  const host = ["localhost", "0.0.0.0", "::"].includes(ip) ? "localhost" : ip;
  const lab = {
    url: `http://${host}:${chosen}${page}?token=${token}`,
    port: chosen,
    log: relative(root, log),
    ended,
    async stop() {
      if (!running) return;
      child.kill("SIGTERM");
      await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
      if (running && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
    },
  };
  const answers = async () => {
    const reply = await fetch(`http://${host}:${chosen}/api`).catch(() => undefined);
    return reply?.ok === true;
  };
  const patience = Date.now() + 60_000;
  while (!(await answers())) {
    if (running && Date.now() < patience) {
      await sleep(100);
      continue;
    }
    await lab.stop();
    throw fault({
      subject: "JupyterLab",
      must: "must answer within a minute",
      got: `this:\n  ${readFileSync(log, "utf8").trimEnd().split("\n").slice(-8).join("\n  ")}\n`,
      remedy: `The whole log is ${lab.log}.`,
    });
  }
  return lab;
}

/** @param {string} ip @returns {Promise<number>} the first free port from 8888 */
async function freePort(ip) {
  for (let port = 8888; port < 8988; port++) {
    if ((await listenError(ip, port)) === undefined) return port;
  }
  throw fault({
    subject: "JupyterLab",
    must: "needs a free port from 8888 to 8987",
    got: "none",
    remedy: "Give another one by --port.",
  });
}

/** @param {string} ip @param {number} port */
async function requirePort(ip, port) {
  const error = await listenError(ip, port);
  if (error === undefined) return port;
  throw fault({
    subject: `JupyterLab on ${ip} port ${port}`,
    must: "must be able to listen there",
    got: error,
    remedy: "Choose another --port or --ip, or leave them out.",
  });
}

/** @param {string} ip @param {number} port @returns {Promise<string | undefined>} why it cannot be listened on */
function listenError(ip, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) =>
      resolve(error.code ?? error.message),
    );
    server.listen({ host: ip, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
