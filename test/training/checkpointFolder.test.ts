import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CheckpointFolder } from "../../src/training/checkpointFolder.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "katlab-checkpoints-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("keeps the newest checkpoints, by step, and the best weights", async () => {
  const checkpoints = new CheckpointFolder({ folder: join(folder, "new"), keep: 2 });
  await checkpoints.open(true);
  expect(await checkpoints.newest()).toBeUndefined();
  for (const step of [2, 90, 100, 1_000_000_000]) writeFileSync(checkpoints.pathOf(step), "");
  writeFileSync(checkpoints.best, "");
  await checkpoints.prune();
  expect(basename((await checkpoints.newest()) ?? "")).toBe("step-1000000000.safetensors");
  expect(readdirSync(join(folder, "new")).sort()).toEqual([
    "best.safetensors",
    "step-00000100.safetensors",
    "step-1000000000.safetensors",
  ]);
});

test("clears away what a killed write left, and nothing else", async () => {
  const names = ["step-00000004.safetensors", "notes.tmp", ".other.tmp"];
  const left = [".step-00000006.safetensors.0b1c.tmp", ".best.safetensors.77.tmp"];
  for (const name of [...names, ...left]) writeFileSync(join(folder, name), "");
  const checkpoints = new CheckpointFolder({ folder });
  await expect(checkpoints.open(true)).rejects.toThrow(
    "must hold no checkpoints when a run starts; got 1, the newest step-00000004.safetensors. Resume to go on",
  );
  await checkpoints.open(false);
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
});

test("is due every so many steps or epochs, and refuses less than one", () => {
  const bySteps = new CheckpointFolder({ folder, every: { steps: 3 } });
  expect([1, 2, 3, 6].map((step) => bySteps.dueAtStep(step))).toEqual([false, false, true, true]);
  expect(bySteps.dueAtEpoch(3)).toBe(false);
  const byEpochs = new CheckpointFolder({ folder });
  expect(byEpochs.dueAtEpoch(1)).toBe(true);
  expect(byEpochs.dueAtStep(1)).toBe(false);
  expect(() => new CheckpointFolder({ folder, every: { steps: 0 } })).toThrow("steps must be an integer");
  expect(() => new CheckpointFolder({ folder, keep: 1.5 })).toThrow(
    "keep must be an integer of at least 1; got 1.5",
  );
});
