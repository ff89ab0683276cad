import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fault } from "./fault.mjs";

/**
 * Runs a program; its output goes to a log file. On a terminal the last line and the time taken are shown,
 * elsewhere a line appears once a minute.
 *
 * @param {{ root: string, name: string, command: string, args: readonly string[], env?: NodeJS.ProcessEnv }} options
 * `name` says what runs, and names the log
 * @returns {Promise<string>} standard output
 * @throws {Fault} when it cannot be started or ends with another exit code than 0
 */
export async function runLogged({ root, name, command, args, env = process.env }) {
  const folder = join(root, ".katlab", "logs");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/[^\w.-]+/g, "-")}.log`);
  const log = createWriteStream(path);
  log.write(`${command} ${args.join(" ")}\n`);
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const progress = showProgress(name);
  let output = "";
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      log.write(text);
      tail = (tail + text).slice(-4000);
      progress.line(
        tail
          .trimEnd()
          .split(/[\r\n]/)
          .at(-1) ?? "",
      );
    });
  }
  child.stdout.on("data", (/** @type {string} */ text) => (output += text));
  try {
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code, signal) => resolve(code ?? signal));
    });
    if (code === 0) return output;
    throw explain({ root, name, path, code, tail });
  } finally {
    progress.end();
    log.end();
  }
}

/** @param {string} name */
function showProgress(name) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  const terminal = process.stdout.isTTY;
  let last = "";
  const show = () => {
    if (!terminal) return console.log(`      ${name}: still at work after ${seconds()} s`);
    const room = process.stdout.columns - 16;
    process.stdout.write(`\r\x1b[2K      ${seconds()} s  ${last.slice(0, Math.max(room, 0))}`);
  };
  const timer = setInterval(show, terminal ? 500 : 60_000);
  return {
    line: (/** @type {string} */ text) => void (last = text),
    end() {
      clearInterval(timer);
      if (terminal) process.stdout.write("\r\x1b[2K");
    },
  };
}

/** What programs say when the network, the disk or a permission is at fault, and what to do then. */
const causes = [
  {
    sign: /ENOSPC|No space left on device/i,
    got: "a full disk",
    remedy: "Make room and run the same command again.",
  },
  {
    sign: /EACCES|EPERM|EROFS|Permission denied|Read-only file system/i,
    got: "a folder that cannot be written",
    remedy: "Clone the repository into a folder of your own, or correct its permissions.",
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRE|ENETUNREACH|getaddrinfo|name resolution|NewConnectionError|ConnectTimeout|Failed to establish/i,
    got: "no connection to its package registry",
    remedy: "Check the network and the proxy settings, and run the same command again.",
  },
];

/** @param {{ root: string, name: string, path: string, code: unknown, tail: string }} end */
function explain({ root, name, path, code, tail }) {
  const log = relative(root, path);
  const cause = causes.find(({ sign }) => sign.test(tail));
  const lines = tail.trimEnd().split("\n").slice(-8).join("\n  ");
  return fault({
    subject: name,
    must: "must end without errors",
    got: cause?.got ?? `exit code ${code}:\n  ${lines}\n`,
    remedy: `${cause?.remedy ?? ""} The whole output is in ${log}.`.trim(),
  });
}

/**
 * The first line that a program prints, or nothing when it does not exist or fails.
 *
 * @param {string} command
 * @param {...string} args
 * @returns {string | undefined}
 */
export function ask(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0].trim() : undefined;
}
