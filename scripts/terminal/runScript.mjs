import { Fault } from "./fault.mjs";

/**
 * Runs a script: a fault that it knows is one sentence on stderr, any other shows its stack; both end with exit
 * code 1.
 *
 * @param {(args: string[]) => number | void | Promise<number | void>} main takes the command line, gives the exit code
 */
export async function runScript(main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    console.error(error instanceof Fault ? error.message : error);
    process.exitCode = 1;
  }
}
