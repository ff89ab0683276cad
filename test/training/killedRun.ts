import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { EngineName } from "../../src/engine.js";
import type { Random } from "../../src/random.js";

const program = fileURLToPath(new URL("killedRunProgram.ts", import.meta.url));

/** How a run went that was killed on its way. */
export interface KilledRun {
  /** Times that a process of it was killed. */
  readonly kills: number;
  /** All of the file of its final weights, with losses and evaluations in its metadata. */
  readonly weights: Buffer;
  /** Its `run.jsonl`. */
  readonly log: string;
}

/**
 * Trains in a process that is killed (SIGKILL) at random moments after it has started to train, and started again,
 * until it has been killed often enough; the last process comes to its end.
 *
 * @param kills how often; 0 for a run that nothing interrupts
 * @param random draws the moments
 * @param withinMs longest time from the start of training to a kill
 */
export async function runKilled(
  engine: EngineName,
  { kills, random, withinMs }: { kills: number; random: Random; withinMs: number },
): Promise<KilledRun> {
  const folder = mkdtempSync(join(tmpdir(), "katlab-killed-"));
  try {
    let killed = 0;
    for (;;) {
      const child = start(folder, engine);
      const exited = once(child, "exit");
      if (killed < kills) {
        await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), exited]);
        await Promise.race([setTimeout(random.uniform() * withinMs), exited]);
        child.kill("SIGKILL");
      }
      const [code, signal] = (await exited) as [number | null, NodeJS.Signals | null];
      if (signal === "SIGKILL") killed++;
      else if (code === 0) break;
      else throw new Error(`the run ended with ${code ?? signal}`);
    }
    return {
      kills: killed,
      weights: readFileSync(join(folder, "final.safetensors")),
      log: readFileSync(join(folder, "run.jsonl"), "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function start(folder: string, engine: EngineName): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", program, folder, engine], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}
