import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);
const timeoutMs = 20_000;

/**
 * What a program prints on stdout, trimmed; undefined when it is not there, fails, or takes too long.
 *
 * @param program its name, looked up in `PATH`, or its path
 */
export async function outputOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await execFileAsync(program, [...args], { timeout: timeoutMs });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
