import { parseArgs } from "node:util";
import { fault } from "./fault.mjs";

/**
 * @typedef {object} Flag
 * @property {"boolean" | "string"} type
 * @property {string} help one line
 * @property {string} [value] what a string stands for, e.g. `<port>`
 * @property {readonly string[]} [choices] the only strings it takes
 * @property {string | boolean} [default]
 */

/**
 * Reads the command line of a script. Shows the help and ends the program for `--help`.
 *
 * @param {{ command: string, purpose: string, flags: Record<string, Flag>, files?: string }} description
 * `files` names the arguments that are no flags; without it there may be none
 * @param {readonly string[]} args
 * @returns {{ flags: Record<string, any>, files: string[] }}
 * @throws {Fault} for flags that do not exist, with the nearest one, and for values that do not fit
 */
export function readCommandLine({ command, purpose, flags, files }, args) {
  /** @type {Record<string, Flag>} */
  const known = { ...flags, help: { type: "boolean", help: "show this text" } };
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([name, { type, default: value }]) => [name, { type, default: value }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") checkFlag(command, token, known);
  }
  if (files === undefined && positionals.length > 0) {
    throw fault({
      subject: command,
      must: "takes only flags",
      got: positionals.join(" "),
      remedy: `See ${command} --help.`,
    });
  }
  const swallowed = Object.keys(flags).find((name) => process.env[`npm_config_${name.replaceAll("-", "_")}`]);
  if (swallowed !== undefined) {
    throw fault({
      subject: command,
      must: "flags must come after --",
      got: `--${swallowed} before it, which npm keeps for itself`,
      remedy: `Write ${command} --${swallowed}.`,
    });
  }
  if (values.help) {
    console.log(helpText(command, purpose, known, files));
    process.exit(0);
  }
  return { flags: values, files: positionals };
}

/** @param {string} command @param {{ name: string, rawName: string, value?: string }} token @param {Record<string, Flag>} known */
function checkFlag(command, { name, rawName, value }, known) {
  const flag = known[name];
  const wrong = (/** @type {string} */ must, /** @type {string} */ got, /** @type {string} */ remedy) =>
    fault({ subject: `${command} ${rawName}`, must, got, remedy });
  if (flag === undefined) {
    const nearest = nearestName(name, Object.keys(known));
    throw wrong(
      "must be a flag that exists",
      rawName,
      nearest === undefined ? `See ${command} --help.` : `Did you mean --${nearest}?`,
    );
  }
  if (flag.type === "boolean" && value !== undefined) {
    throw wrong("takes no value", value, `Write ${rawName} alone.`);
  }
  if (flag.type === "string" && value === undefined) {
    throw wrong("needs a value", "none", `Write ${rawName} ${flag.value}.`);
  }
  if (flag.choices !== undefined && !flag.choices.includes(value ?? "")) {
    const nearest = nearestName(value ?? "", flag.choices);
    throw wrong(
      `must be one of ${flag.choices.join(", ")}`,
      String(value),
      nearest === undefined ? "Choose one of these." : `Did you mean ${nearest}?`,
    );
  }
}

/** @param {string} command @param {string} purpose @param {Record<string, Flag>} known @param {string} [files] */
function helpText(command, purpose, known, files) {
  const rows = Object.entries(known).map(([name, { value, help }]) => [
    `--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [purpose, "", `${command} [flags]${files === undefined ? "" : ` [${files}]`}`, ...lines].join("\n");
}

/**
 * The name closest to what was typed, if it is close enough to be a slip.
 *
 * @param {string} typed
 * @param {readonly string[]} names
 * @returns {string | undefined}
 */
export function nearestName(typed, names) {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(typed, name) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0].distance <= Math.min(typed.length - 1, Math.max(2, typed.length / 3))
    ? ranked[0].name
    : undefined;
}

/** @param {string} a @param {string} b @returns {number} insertions, deletions and replacements between them */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min(row[j] + (letter === other ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}
