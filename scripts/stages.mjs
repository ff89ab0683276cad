import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findTorch } from "./findTorch.mjs";
import { jupyterEnvironment } from "./jupyter/environment.mjs";
import { executeNotebooks } from "./jupyter/executeNotebooks.mjs";
import { venvPython } from "./steps/pythonEnvironment.mjs";
import { readCounts, sumCounts } from "./terminal/counts.mjs";

/**
 * @typedef {import("./terminal/counts.mjs").Counts} Counts
 *
 * @typedef {object} Stage a kind of test
 * @property {string} name
 * @property {string} what it shows, in a few words
 * @property {boolean} fast whether `npm run test:fast` runs it
 * @property {boolean} [required] whether a skip in CI is a failure
 * @property {(root: string) => Promise<Counts>} run
 */

/** @type {readonly Stage[]} in the order in which they run: what fails soonest comes first */
export const stages = [
  {
    name: "format",
    what: "prettier",
    fast: true,
    run: (root) =>
      checks(root, [["prettier", "prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."]]),
  },
  {
    name: "lint",
    what: "eslint with type-aware rules",
    fast: true,
    run: (root) => checks(root, [["eslint", "eslint/bin/eslint.js", "."]]),
  },
  {
    name: "types",
    what: "TypeScript over sources, tests and scripts",
    fast: true,
    run: (root) =>
      checks(root, [
        ["tsc", "typescript/bin/tsc", "-p", "tsconfig.json"],
        ["tsc scripts", "typescript/bin/tsc", "-p", join("scripts", "tsconfig.json")],
      ]),
  },
  {
    name: "docs",
    what: "every export is documented",
    fast: false,
    run: (root) => checks(root, [["typedoc", "typedoc/bin/typedoc", "--emit", "none"]]),
  },
  {
    name: "architecture",
    what: "arrows, names, links, public face",
    fast: true,
    run: (root) => vitest(root, "architecture", ["test/architecture"]),
  },
  {
    name: "unit",
    what: "every room",
    fast: true,
    run: (root) => vitest(root, "unit", ["--exclude=test/architecture/**", "--exclude=test/consumer/**"]),
  },
  {
    name: "conformance",
    what: "tfjs-core's published specs on the torch engine",
    fast: false,
    required: true,
    run: (root) => conformance(root),
  },
  {
    name: "python",
    what: "operators and the notebook kernel as Python sees them",
    fast: false, // not required: what needs a GPU is skipped where there is none
    run: (root) => pytest(root),
  },
  {
    name: "consumer",
    what: "the packed package in projects of all kinds",
    fast: false,
    required: true,
    run: (root) => vitest(root, "consumer", ["test/consumer"]),
  },
  {
    name: "notebooks",
    what: "every notebook at quick scale, in our kernel and in tslab's",
    fast: false,
    required: true,
    run: (root) => notebooks(root),
  },
  {
    name: "e2e",
    what: "JupyterLab in a browser",
    fast: false,
    required: true,
    run: (root) => vitest(root, "e2e", ["--config=test/e2e/vitest.config.ts"]),
  },
];

/**
 * Runs programs of node_modules one after the other; each is one check.
 *
 * @param {string} root
 * @param {readonly (readonly [name: string, program: string, ...args: string[]])[]} programs
 * @returns {Promise<Counts>}
 */
async function checks(root, programs) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, program, ...args] of programs) {
    const code = await node(root, join(root, "node_modules", program), args);
    console.log(`  ${code === 0 ? "✓" : "✗"} ${name}`);
    counts[code === 0 ? "passed" : "failed"]++;
  }
  return counts;
}

/**
 * Runs a program by this Node; its output is shown.
 *
 * @param {string} root
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<number | null>} its exit code
 */
function node(root, program, args) {
  const env = jupyterEnvironment(root, process.env);
  const child = spawn(process.execPath, [program, ...args], { cwd: root, env, stdio: "inherit" });
  return new Promise((resolve) => void child.on("close", resolve));
}

/** An empty folder's file for the report of a runner. @param {string} root @param {string} name */
function reportFile(root, name) {
  const folder = join(root, ".katlab", "reports");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  rmSync(file, { force: true });
  return file;
}

/** @param {string} root @param {string} name @param {readonly string[]} args @returns {Promise<Counts>} */
async function vitest(root, name, args) {
  const report = reportFile(root, `${name}.json`);
  const code = await node(root, join(root, "node_modules", "vitest", "vitest.mjs"), [
    ...["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ...args,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  // A file that could not be loaded has no tests that could fail.
  const broken = testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ { status, assertionResults }) =>
      status === "failed" && assertionResults.length === 0,
  ).length;
  const failed = numFailedTests + broken;
  // An error outside of all tests fails the run, too.
  return { passed: numPassedTests, failed: failed > 0 || code === 0 ? failed : 1, skipped: numPendingTests };
}

/** @param {string} root @returns {Promise<Counts>} */
async function conformance(root) {
  if (!existsSync(join(root, "native", "build", "build.json"))) {
    console.log("skipped: there is no torch engine here");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const args = ["--import", "tsx", join("test", "conformance", "run.ts")];
  const { stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  process.stdout.write(stdout);
  return readCounts(stdout) ?? { passed: 0, failed: 1, skipped: 0 };
}

/** @param {string} root @returns {Promise<Counts>} */
async function pytest(root) {
  const report = reportFile(root, "python.xml");
  const torch = findTorch({ root, env: process.env });
  const folders = "missing" in torch ? [] : [torch.sitePackages];
  const env = jupyterEnvironment(root, process.env);
  env.PYTHONPATH = [env.PYTHONPATH, ...folders].filter(Boolean).join(delimiter);
  const args = [
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    `--junitxml=${report}`,
    join("test", "python"),
  ];
  spawnSync(venvPython(root), args, { cwd: root, env, stdio: "inherit" });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const suite = /<testsuite [^>]*>/.exec(readFileSync(report, "utf8"))?.[0] ?? "";
  const number = (/** @type {string} */ name) =>
    Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  const skipped = number("skipped");
  return { passed: number("tests") - failed - skipped, failed, skipped };
}

/** @param {string} root @returns {Promise<Counts>} */
async function notebooks(root) {
  const names = readdirSync(join(root, "notebooks")).filter((name) => name.endsWith(".ipynb"));
  const files = names.sort().map((name) => join("notebooks", name));
  const counts = [];
  for (const kernel of /** @type {const} */ (["katlab", "tslab"])) {
    counts.push(await executeNotebooks({ root, files, scale: "quick", kernel }));
  }
  return sumCounts(counts);
}
