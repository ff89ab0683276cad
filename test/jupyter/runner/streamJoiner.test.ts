import { describe, expect, test } from "vitest";
import { StreamJoiner, type StreamText } from "../../../src/jupyter/runner/streamJoiner.js";

function joiner(): { joiner: StreamJoiner; sent: StreamText[] } {
  const sent: StreamText[] = [];
  return { joiner: new StreamJoiner((text) => sent.push(text)), sent };
}

describe("StreamJoiner", () => {
  test("joins many writes into few messages and loses none", () => {
    const { joiner: streams, sent } = joiner();
    const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`);
    for (const line of lines) streams.write(1, "stdout", line);
    streams.flush();
    expect(sent.map(({ text }) => text).join("")).toBe(lines.join(""));
    expect(sent.length).toBeLessThan(100);
  });

  test("keeps the order of streams and cells", () => {
    const { joiner: streams, sent } = joiner();
    streams.write(1, "stdout", "a");
    streams.write(1, "stderr", "b");
    streams.write(1, "stdout", "c");
    streams.write(2, "stdout", "d");
    streams.flush();
    expect(sent.map(({ job, name, text }) => `${job} ${name} ${text}`)).toEqual([
      "1 stdout a",
      "1 stderr b",
      "1 stdout c",
      "2 stdout d",
    ]);
  });

  test("sends by itself once the writer lets the event loop turn", async () => {
    const { joiner: streams, sent } = joiner();
    streams.write(1, "stdout", "first");
    streams.write(1, "stdout", " second");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent.map(({ text }) => text).join("")).toBe("first second");
  });

  test("sends nothing when there is nothing", () => {
    const { joiner: streams, sent } = joiner();
    streams.write(1, "stdout", "");
    streams.flush();
    expect(sent).toEqual([]);
  });
});
