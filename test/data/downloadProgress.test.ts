import { describe, expect, test } from "vitest";
import { downloadProgress } from "../../src/data/downloadProgress.js";

function shown(isTTY: boolean, received: number[], totalBytes: number | undefined): string[] {
  const written: string[] = [];
  const show = downloadProgress("set", {
    isTTY,
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
  });
  for (const receivedBytes of received) show({ path: "/tmp/file.gz", receivedBytes, totalBytes });
  return written;
}

describe("downloadProgress", () => {
  test("prints a line per quarter where there is no terminal", () => {
    expect(shown(false, [1e5, 1e6, 2.4e6, 2.5e6, 6e6, 1e7], 1e7)).toEqual([
      "set: file.gz 0.1 of 10.0 MB\n",
      "set: file.gz 2.5 of 10.0 MB\n",
      "set: file.gz 6.0 of 10.0 MB\n",
      "set: file.gz 10.0 of 10.0 MB\n",
    ]);
  });

  test("rewrites one line on a terminal, and ends it", () => {
    expect(shown(true, [1e6, 1.01e6, 1e7], 1e7)).toEqual([
      "\rset: file.gz 1.0 of 10.0 MB",
      "\rset: file.gz 10.0 of 10.0 MB\n",
    ]);
  });

  test("without a known size it says so once", () => {
    expect(shown(false, [1e6, 2e6], undefined)).toEqual(["set: file.gz 1.0 MB\n"]);
  });
});
