import { describe, expect, test } from "vitest";
import { mixerFunctions } from "../../src/layers/mixerFunctions.js";

describe("mixerFunctions", () => {
  test("left out, they are KAT's: identity, then silu, both learned", () => {
    expect(mixerFunctions({})).toEqual([
      { start: "identity", fixed: false },
      { start: "silu", fixed: false },
    ]);
  });

  test("a single setting holds for both, a pair for one each", () => {
    const sharing = { numerator: "group" } as const;
    const options = { starts: "silu", groups: [4, 8], degrees: [3, 2], form: "B", sharing } as const;
    const both = { start: "silu", fixed: false, degrees: [3, 2], form: "B", sharing };
    expect(mixerFunctions(options)).toEqual([
      { ...both, groups: 4 },
      { ...both, groups: 8 },
    ]);
    const [first, second] = mixerFunctions({
      starts: ["gelu", "tanh"],
      fixed: [true, false],
      degrees: [
        [5, 4],
        [2, 2],
      ],
      form: ["A", "D"],
      sharing: [{}, sharing],
      uneven: [false, true],
    });
    expect(first).toEqual({
      start: "gelu",
      fixed: true,
      degrees: [5, 4],
      form: "A",
      sharing: {},
      uneven: false,
    });
    expect(second).toEqual({
      start: "tanh",
      fixed: false,
      degrees: [2, 2],
      form: "D",
      sharing,
      uneven: true,
    });
  });

  test.each<[object, string]>([
    [
      { starts: ["gelu"] },
      'GroupKan: starts must be one for both functions, or a pair [act1, act2]; got ["gelu"]',
    ],
    [{ groups: [8, 8, 8] }, "groups must be one for both functions, or a pair [act1, act2]; got [8,8,8]"],
    [{ degrees: [[5, 4]] }, "degrees must be one for both functions, or a pair [act1, act2]; got [[5,4]]"],
    [{ fixed: "act1" }, 'fixed must be true or false, or a pair of them; got "act1"'],
    [{ fixed: [true, true], uneven: true }, "got uneven. Leave out uneven or fixed."],
    [{ fixed: true, form: ["A", "B"] }, "got form. Leave out form or fixed."],
  ])("refuses %o", (options, message) => {
    expect(() => mixerFunctions(options)).toThrow(message);
  });
});
