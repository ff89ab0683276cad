import { afterEach, describe, expect, test } from "vitest";
import { MessageChannel } from "node:worker_threads";
import { Peer } from "../../src/jupyter/peer.js";

interface Calculator {
  add(numbers: { a: number; b: number }): number;
  later(value: number): Promise<number>;
  fail(text: string): never;
  note(text: string): void;
}

const channels: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of channels.splice(0)) port1.close();
});

function calculator(): { calculator: Peer<Calculator>; notes: string[] } {
  const channel = new MessageChannel();
  channels.push(channel);
  const notes: string[] = [];
  const service: Calculator = {
    add: ({ a, b }) => a + b,
    later: (value) => Promise.resolve(value * 2),
    fail: (text) => {
      throw new RangeError(text);
    },
    note: (text) => void notes.push(text),
  };
  new Peer(channel.port2, service);
  return { calculator: new Peer<Calculator>(channel.port1, {}), notes };
}

describe("Peer", () => {
  test("answers questions, in whatever order they are settled", async () => {
    const { calculator: peer } = calculator();
    await expect(Promise.all([peer.ask("later", 4), peer.ask("add", { a: 1, b: 2 })])).resolves.toEqual([
      8, 3,
    ]);
  });

  test("hands on faults", async () => {
    await expect(calculator().calculator.ask("fail", "too far")).rejects.toThrow("too far");
  });

  test("delivers notes before the questions that follow them", async () => {
    const { calculator: peer, notes } = calculator();
    peer.tell("note", "first");
    await peer.ask("add", { a: 0, b: 0 });
    expect(notes).toEqual(["first"]);
  });
});
