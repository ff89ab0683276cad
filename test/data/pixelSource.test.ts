import { expect, test } from "vitest";
import { readPixels } from "../../src/data/pixelSource.js";
import { countingSource } from "./pixelSource.js";

test("readPixels reads what is asked for, and refuses what no array can hold", async () => {
  expect([...(await readPixels(countingSource(9), [8, 2, 2]))]).toEqual([8, 8, 8, 2, 2, 2, 2, 2, 2]);
  const huge = { ...countingSource(9), shape: [40_000, 40_000, 3] as const };
  await expect(readPixels(huge, [0])).rejects.toThrow(
    "pictures: must fit into 4 GiB when decoded; got 1 pictures of 4800000000 bytes.",
  );
});
