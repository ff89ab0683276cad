import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Message, Wire } from "../../src/jupyter/wire.js";

const options = { key: "secret", hash: "sha256", username: "test" };

function framesOf(wire: Wire, message: Parameters<Wire["encode"]>[0]): Buffer[] {
  return wire.encode(message).map((frame) => Buffer.from(frame as string));
}

function throughWire(message: Parameters<Wire["encode"]>[0]): Message {
  const wire = new Wire(options);
  return wire.decode(framesOf(wire, message));
}

describe("Wire", () => {
  test("gives back what it was given", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.array(fc.uint8Array({ minLength: 1 })),
        fc.string({ minLength: 1 }),
        (content, buffers, identity) => {
          const message = throughWire({ type: "stream", content, buffers, identities: [identity] });
          expect(message.header.msg_type).toBe("stream");
          expect(message.content).toEqual(JSON.parse(JSON.stringify(content)));
          expect(message.buffers.map((buffer) => [...buffer])).toEqual(buffers.map((buffer) => [...buffer]));
          expect(message.identities.map(String)).toEqual([identity]);
        },
      ),
    );
  });

  test("takes content that is JSON text already", () => {
    expect(throughWire({ type: "display_data", content: '{"data":{"text/plain":"a"}}' }).content).toEqual({
      data: { "text/plain": "a" },
    });
  });

  test("names the message it answers", () => {
    const parent = new Wire(options).header("execute_request");
    expect(throughWire({ type: "execute_reply", content: {}, parent }).parent).toEqual(parent);
    expect(throughWire({ type: "status", content: {} }).parent).toEqual({});
  });

  test("signs with HMAC-SHA256 over the four JSON frames, as Jupyter does", () => {
    const header = {
      msg_id: "1",
      msg_type: "status",
      session: "s",
      username: "u",
      date: "2026-01-01T00:00:00.000Z",
      version: "5.3",
    };
    // Made with Python: hmac.new(b"secret", b"".join(frames), "sha256").hexdigest()
    const [delimiter, signature] = new Wire(options).encode(
      { type: "status", content: { execution_state: "idle" } },
      header,
    );
    expect(String(delimiter)).toBe("<IDS|MSG>");
    expect(signature).toBe("6468e519cd119963fdc01d3ee4006179659ab2706566904a5266d55d565e8f41");
  });

  test("leaves messages unsigned where there is no key", () => {
    const wire = new Wire({ ...options, key: "" });
    const frames = framesOf(wire, { type: "status", content: {} });
    expect(String(frames[1])).toBe("");
    expect(wire.decode(frames).header.msg_type).toBe("status");
  });

  test.each([
    ["another key", (frames: Buffer[]) => new Wire({ ...options, key: "other" }).decode(frames)],
    ["a changed frame", (frames: Buffer[]) => decodeWith(frames, 5, '{"code":"evil()"}')],
    ["an empty signature", (frames: Buffer[]) => decodeWith(frames, 1, "")],
    ["no delimiter", (frames: Buffer[]) => new Wire(options).decode(frames.slice(1))],
    ["too few frames", (frames: Buffer[]) => new Wire(options).decode(frames.slice(0, 4))],
    ["nothing", () => new Wire(options).decode([])],
  ])("refuses %s", (_name, decode) => {
    const frames = framesOf(new Wire(options), { type: "execute_request", content: { code: "1" } });
    expect(() => decode(frames)).toThrow(/^Jupyter message: /);
  });

  test("refuses what came before, however long it remembers", () => {
    const sender = new Wire(options);
    const receiver = new Wire(options);
    const first = framesOf(sender, { type: "execute_request", content: { code: "hits++" } });
    expect(receiver.decode(first).content).toEqual({ code: "hits++" });
    for (let i = 0; i < 1000; i++) receiver.decode(framesOf(sender, { type: "status", content: {} }));
    expect(() => receiver.decode(first)).toThrow(/must come once/);
    const again = framesOf(sender, { type: "execute_request", content: { code: "hits++" } });
    expect(receiver.decode(again).content).toEqual({ code: "hits++" });
  });

  test("refuses a signed message of which any bit was changed", () => {
    const frames = framesOf(new Wire(options), { type: "execute_request", content: { code: "1 + 1" } });
    const places = frames.slice(1).flatMap((frame, i) => [...frame].map((_, at) => [i + 1, at] as const));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(7), ([index, at], bit) => {
        const changed = frames.map((frame) => Buffer.from(frame));
        changed[index][at] ^= 1 << bit;
        expect(() => new Wire(options).decode(changed)).toThrow(/must be signed with the kernel's key/);
      }),
      { numRuns: 2000 },
    );
  });

  test("refuses frames of noise", () => {
    const noise = fc.uint8Array({ maxLength: 80 });
    const delimiter = fc.constant(Buffer.from("<IDS|MSG>"));
    const frames = fc.array(fc.oneof({ weight: 4, arbitrary: noise }, { weight: 1, arbitrary: delimiter }));
    fc.assert(
      fc.property(frames, (given) => {
        expect(() => new Wire(options).decode(given)).toThrow(/^Jupyter message: /);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["not JSON", "[]", "null", "1"])("refuses a signed frame that is %s", (text) => {
    const wire = new Wire(options);
    const frames = framesOf(wire, { type: "execute_request", content: text });
    expect(() => wire.decode(frames)).toThrow(/must be JSON objects/);
  });
});

function decodeWith(frames: Buffer[], index: number, text: string): Message {
  return new Wire(options).decode(frames.map((frame, i) => (i === index ? Buffer.from(text) : frame)));
}
