import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a command printed, and its exit code. */
interface Ending {
  code: number | null;
  stdout: string;
  stderr: string;
}

function node(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Ending {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    encoding: "utf8",
  });
  return { code: status, stdout, stderr: stderr.trim() };
}

const start = (...args: string[]): Ending => node(["scripts/start.mjs", ...args]);

describe("flags", () => {
  test.each([
    [
      ["--headles"],
      "npm start -- --headles: must be a flag that exists; got --headles. Did you mean --headless?",
    ],
    [["-x"], "npm start -- -x: must be a flag that exists; got -x. See npm start -- --help."],
    [["--port"], "npm start -- --port: needs a value; got none. Write --port <port>."],
    [
      ["--port", "x"],
      "npm start -- --port: must be a whole number from 1 to 65535; got x. Leave it out for the first free port.",
    ],
    [["--headless=yes"], "npm start -- --headless: takes no value; got yes. Write --headless alone."],
    [["lab"], "npm start --: takes only flags; got lab. See npm start -- --help."],
  ])("%j", (args, sentence) => {
    expect(start(...args)).toMatchObject({ code: 1, stdout: "", stderr: sentence });
  });

  test("that npm keeps for itself are noticed", () => {
    const { code, stderr } = node(["scripts/start.mjs"], { env: { npm_config_headless: "true" } });
    expect(code).toBe(1);
    expect(stderr).toContain("Write npm start -- --headless.");
  });

  test("--help names them all", () => {
    const { code, stdout } = start("--help");
    expect(code).toBe(0);
    for (const flag of ["headless", "port", "ip", "no-browser", "cuda"])
      expect(stdout).toContain(`--${flag}`);
  });

  test("an unknown stage of npm test gets a suggestion", () => {
    const { code, stderr } = node(["scripts/test.mjs", "--only", "unti"]);
    expect(code).toBe(1);
    expect(stderr).toContain("Did you mean unit?");
  });
});

test("an old Node is refused in one sentence", () => {
  const program = 'import { checkNode } from "./scripts/terminal/checkNode.mjs"; checkNode("18.20.4");';
  expect(node(["--input-type=module", "-e", program])).toMatchObject({
    code: 1,
    stderr: "Node: must be 20.19 or newer; got 18.20.4. Install a newer Node and run the same command again.",
  });
});

describe("a machine", () => {
  let folder: string;
  let clone: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "katlab-setup-"));
    clone = join(folder, "clone");
    cpSync(join(root, "scripts"), join(clone, "scripts"), { recursive: true });
    for (const file of ["package.json", "package-lock.json"]) cpSync(join(root, file), join(clone, file));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A program that stands for another one. */
  function program(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  }

  test("without Python: says so, and what works", () => {
    const path = join(folder, "empty");
    mkdirSync(path);
    const { code, stdout, stderr } = node(["scripts/start.mjs"], { cwd: clone, env: { PATH: path } });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Python: must be 3\.10 or newer; got none\. .*apt install python3 python3-venv\.$/,
    );
    expect(stdout).toContain("Without it the library works in Node");
  });

  test("with an old Python", () => {
    const python = program("python-old", "#!/bin/sh\necho 3.9.2\n");
    const { stderr } = node(["scripts/start.mjs"], { cwd: clone, env: { KATLAB_PYTHON: python } });
    expect(stderr).toContain("Python: must be 3.10 or newer; got 3.9.2.");
  });

  test("without venv", () => {
    const text = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\necho 3.11.2\n';
    const { stderr } = node(["scripts/start.mjs"], {
      cwd: clone,
      env: { KATLAB_PYTHON: program("python-without-venv", text) },
    });
    expect(stderr).toContain("must have the modules venv and ensurepip; got 3.11.2 without them.");
  });

  test.each([
    ["network", "npm error code ENOTFOUND", "no connection to its package registry"],
    ["room", "npm error nospc ENOSPC: no space left on device, write", "a full disk"],
    ["permission", "npm error code EACCES", "a folder that cannot be written"],
    ["patience", "npm error something else", "exit code 7"],
  ])("without %s: names the cause of a failed installation", (_, output, cause) => {
    const npm = program("npm-cli.js", `console.error(${JSON.stringify(output)}); process.exit(7);`);
    const { code, stderr } = node(["scripts/start.mjs"], { cwd: clone, env: { npm_execpath: npm } });
    expect(code).toBe(1);
    expect(stderr).toContain(`npm ci: must end without errors; got ${cause}`);
    expect(stderr).toContain("The whole output is in .katlab/logs/npm-ci.log.");
  });

  test("with a KATLAB_TORCH that holds no torch is told, not passed over", () => {
    symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
    symlinkSync(join(root, ".venv"), join(clone, ".venv"));
    const { code, stderr } = node(["scripts/start.mjs"], { cwd: clone, env: { KATLAB_TORCH: folder } });
    expect(code).toBe(1);
    expect(stderr).toContain("KATLAB_TORCH must name");
    expect(stderr).toContain("unset it");
  });
});
