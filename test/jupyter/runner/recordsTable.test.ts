import { describe, expect, test } from "vitest";
import { recordsTable } from "../../../src/jupyter/runner/recordsTable.js";

describe("recordsTable", () => {
  test("has a column for each field and a row for each record", () => {
    expect(
      recordsTable([
        { name: "a<b>", n: 1 },
        { name: "c", ok: true, big: 3n },
      ]),
    ).toBe(
      `<table>
<thead><tr><th>name</th><th>n</th><th>ok</th><th>big</th></tr></thead>
<tbody>
<tr><td>a&#60;b&#62;</td><td style="text-align: right">1</td><td></td><td></td></tr>
<tr><td>c</td><td></td><td>true</td><td style="text-align: right">3</td></tr>
</tbody>
</table>`,
    );
  });

  test("is cut to a readable size", () => {
    const table = recordsTable(Array.from({ length: 5000 }, () => ({ text: "x".repeat(1000) }))) ?? "";
    expect(table.match(/<tr>/g)).toHaveLength(1 + 60 + 1);
    expect(table).toContain("… 4,940 more");
    expect(table.length).toBeLessThan(20_000);
  });

  test.each([
    ["no list", { a: 1 }],
    ["an empty list", []],
    ["numbers", [1, 2]],
    ["nothing in them", [{}, {}]],
    ["objects in objects", [{ a: { b: 1 } }]],
    ["lists in objects", [{ a: [1] }]],
    [
      "instances of a class",
      [
        new (class Point {
          x = 1;
        })(),
      ],
    ],
    ["one that shows itself", [{ a: 1, [Symbol.for("Jupyter.display")]: () => ({}) }]],
    ["too many fields", [Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`f${i}`, i]))]],
  ])("does not take %s", (_name, value) => {
    expect(recordsTable(value)).toBeUndefined();
  });

  test("takes objects without a prototype, dates and null", () => {
    const record = Object.assign(Object.create(null) as object, { at: new Date(0), none: null });
    expect(recordsTable([record])).toContain("<td>1970-01-01T00:00:00.000Z</td><td>null</td>");
  });
});
