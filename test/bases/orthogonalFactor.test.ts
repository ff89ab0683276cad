import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrthogonalFactor } from "../../src/bases/orthogonalFactor.js";

const entry = fc.integer({ min: -64, max: 64 }).map((n) => n / 16);
const system = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 6 }))
  .chain(([width, more]) => {
    const column = fc.array(entry, { minLength: width + more, maxLength: width + more });
    return fc.tuple(fc.array(column, { minLength: width, maxLength: width }), column);
  });

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
}

describe("OrthogonalFactor", () => {
  test("what remains is orthogonal to every column", () => {
    fc.assert(
      fc.property(system, ([columns, target]) => {
        const rest = new OrthogonalFactor(columns).remainder(target);
        for (const column of columns) expect(Math.abs(dot(column, rest))).toBeLessThan(1e-10);
      }),
    );
  });

  test("the solution leaves what remains", () => {
    fc.assert(
      fc.property(system, ([columns, target]) => {
        const factor = new OrthogonalFactor(columns);
        const rest = factor.remainder(target);
        const left = factor
          .solve(target)
          .reduce((sum, x, k) => sum.map((value, row) => value - x * columns[k][row]), target);
        fc.pre(Math.max(...factor.solve(target).map(Math.abs)) < 1e4);
        left.forEach((value, row) => expect(value).toBeCloseTo(rest[row], 8));
      }),
    );
  });

  test("solves columns of very different sizes", () => {
    const [x, y] = new OrthogonalFactor([
      [1e-12, 1e-12, 0],
      [0, 1e9, 1e9],
    ]).solve([1, 3, 2]);
    expect(x * 1e-12).toBeCloseTo(1, 12);
    expect(y * 1e9).toBeCloseTo(2, 12);
  });

  test("gives dependent and empty columns the solution 0", () => {
    const solution = new OrthogonalFactor([
      [1, 1],
      [2, 2],
    ]).solve([3, 3]);
    expect([...solution].map((value) => Math.round(value))).toEqual([3, 0]);
    expect([...new OrthogonalFactor([[0, 0]]).solve([1, 2])]).toEqual([0]);
    expect([...new OrthogonalFactor([]).remainder([1, 2])]).toEqual([1, 2]);
    expect([...new OrthogonalFactor([[0, 0]]).remainder([1, 2])]).toEqual([1, 2]);
  });
});
