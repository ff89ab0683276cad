import { describe, expect, test } from "vitest";
import { DataTable } from "../../src/torch/dataTable.js";
import { collectGarbage } from "./collectGarbage.js";

interface Entry {
  name: string;
}

function table(): { data: DataTable<Entry>; collected: string[]; turns: () => number } {
  const collected: string[] = [];
  let turns = 0;
  const data = new DataTable<Entry>(
    ({ name }) => collected.push(name),
    () => turns++,
  );
  return { data, collected, turns: () => turns };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("a table of data ids", () => {
  test("keeps entries of its own data ids and of foreign ones", () => {
    const { data } = table();
    const own = data.create({ name: "own" });
    const foreign = {};
    expect(data.get(foreign)).toBeUndefined();
    data.set(foreign, { name: "foreign" });
    expect([data.get(own)?.name, data.get(foreign)?.name, data.size]).toEqual(["own", "foreign", 2]);
    data.set(own, { name: "again" });
    expect([data.get(own)?.name, data.size]).toEqual(["again", 2]);
    data.delete(own);
    data.delete(own);
    data.delete(foreign);
    expect([data.get(own), data.get(foreign), data.size]).toEqual([undefined, undefined, 0]);
    data.set(own, { name: "back" });
    expect([data.get(own)?.name, data.size]).toEqual(["back", 1]);
  });

  test("a data id of one table is foreign to another", () => {
    const [a, b] = [table().data, table().data];
    const id = a.create({ name: "a" });
    expect(b.get(id)).toBeUndefined();
    b.set(id, { name: "b" });
    expect([a.get(id)?.name, b.get(id)?.name]).toEqual(["a", "b"]);
    a.delete(id);
    expect([a.get(id), b.get(id)?.name]).toEqual([undefined, "b"]);
  });

  test("clear gives all entries back and forgets every data id", async () => {
    const { data, collected } = table();
    const ids = Array.from({ length: 2_500 }, (_, i) => data.create({ name: String(i) }));
    const foreign = {};
    data.set(foreign, { name: "foreign" });
    data.delete(ids[7]);
    expect(data.clear()).toHaveLength(2_500);
    expect([data.size, data.get(ids[0]), data.get(foreign)]).toEqual([0, undefined, undefined]);
    data.delete(ids[0]);
    expect(data.size).toBe(0);
    ids.length = 0;
    await collectGarbage(() => false);
    expect(collected).toEqual([]);
  });
});

describe("data ids that are no more", () => {
  test("hand their entries over, others stay", async () => {
    const { data, collected } = table();
    const kept = data.create({ name: "kept" });
    (() => {
      data.create({ name: "own" });
      data.set({}, { name: "foreign" });
      data.delete(data.create({ name: "deleted" }));
      const replaced = data.create({ name: "old" });
      data.set(replaced, { name: "new" });
    })();
    await collectGarbage(() => collected.length >= 3);
    expect(collected.sort()).toEqual(["foreign", "new", "own"]);
    expect([data.size, data.get(kept)?.name]).toEqual([1, "kept"]);
  });

  test("are watched in the middle of a long turn too", async () => {
    const { data, collected } = table();
    for (let i = 0; i < 3_000; i++) data.create({ name: String(i) });
    expect(data.size).toBe(3_000);
    await collectGarbage(() => data.size === 0);
    expect(collected).toHaveLength(3_000);
  });
});

test("each turn that makes entries is told once", async () => {
  const { data, turns } = table();
  data.create({ name: "a" });
  data.create({ name: "b" });
  expect(turns()).toBe(0);
  await nextTurn();
  expect(turns()).toBe(1);
  await nextTurn();
  expect(turns()).toBe(1);
  data.set({}, { name: "c" });
  await nextTurn();
  expect(turns()).toBe(2);
});
