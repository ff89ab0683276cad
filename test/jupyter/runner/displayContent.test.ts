import { describe, expect, test } from "vitest";
import type { DisplayContent } from "../../../src/jupyter/threads.js";
import { contentOfValue, encodedBundle, jsonOf } from "../../../src/jupyter/runner/displayContent.js";

const display = Symbol.for("Jupyter.display");

describe("contentOfValue", () => {
  test("shows plain values as util.inspect does", () => {
    expect(contentOfValue({ a: [1, "x"] })).toEqual({
      data: { "text/plain": "{ a: [ 1, 'x' ] }" },
      metadata: {},
    });
    expect(contentOfValue(null)).toEqual({ data: { "text/plain": "null" }, metadata: {} });
  });

  test("shows records as a table too", () => {
    expect(contentOfValue([{ epoch: 1, loss: 0.5 }])).toEqual({
      data: {
        "text/html": expect.stringContaining("<th>epoch</th><th>loss</th>") as string,
        "text/plain": "[ { epoch: 1, loss: 0.5 } ]",
      },
      metadata: {},
    });
  });

  test.each([
    ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1]],
    ["image/jpeg", [0xff, 0xd8, 0xff, 1]],
    ["image/gif", [0x47, 0x49, 0x46, 0x38, 1]],
  ])("shows the bytes of a picture as %s", (type, bytes) => {
    const picture = Buffer.from(bytes);
    expect(contentOfValue(picture)).toMatchObject({ data: { [type]: picture.toString("base64") } });
    expect(Object.keys((contentOfValue(picture.subarray(1)) as DisplayContent).data)).toEqual(["text/plain"]);
  });

  test("takes a bundle", () => {
    const png = new Uint8Array([1, 2, 3]);
    expect(contentOfValue({ [display]: () => ({ "image/png": png, "text/plain": "dot" }) })).toEqual({
      data: { "image/png": "AQID", "text/plain": "dot" },
      metadata: {},
    });
  });

  test("takes data and metadata", () => {
    const shown = { data: { "text/html": "<b>" }, metadata: { "text/html": { isolated: true } } };
    expect(contentOfValue({ [display]: () => shown })).toEqual(shown);
  });

  test("waits for a promise of either", async () => {
    await expect(contentOfValue({ [display]: () => Promise.resolve({ "text/html": "x" }) })).resolves.toEqual(
      {
        data: { "text/html": "x" },
        metadata: {},
      },
    );
  });

  test("calls the method on its value", () => {
    class Model {
      readonly #name = "vit";
      [display](): object {
        return { "text/plain": this.#name };
      }
    }
    expect(contentOfValue(new Model())).toEqual({ data: { "text/plain": "vit" }, metadata: {} });
  });

  test("falls back to text when the method shows nothing", () => {
    expect(contentOfValue({ a: 1, [display]: () => undefined })).toMatchObject({
      data: { "text/plain": expect.stringContaining("a: 1") as string },
    });
  });

  test("hands on what the method throws", () => {
    const broken = {
      [display]: () => {
        throw new RangeError("no picture");
      },
    };
    expect(() => contentOfValue(broken)).toThrow("no picture");
  });

  test.each([
    ["long arrays", new Array<number>(1e6).fill(7)],
    ["long strings", "x".repeat(1e6)],
    ["many keys", Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key${i}`, i]))],
    ["deep and wide nesting", nested(6)],
  ])("cuts %s", (_name, value) => {
    const content = contentOfValue(value) as DisplayContent;
    expect(String(content.data["text/plain"]).length).toBeLessThan(110_000);
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : Array.from({ length: 30 }, () => nested(Math.min(depth - 1, 2)));
}

describe("jsonOf", () => {
  test("writes typed arrays as lists, missing numbers as null and large integers as numbers", () => {
    expect(jsonOf({ x: new Float32Array([1, NaN]), n: 5n })).toBe('{"x":[1,null],"n":5}');
  });
});

test("encodedBundle respects the window of a typed array", () => {
  const bytes = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  expect(encodedBundle({ "image/png": bytes })).toEqual({ "image/png": "AQID" });
});
