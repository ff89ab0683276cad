import { mustBe } from "../errors.js";

/** At least one of `what`. */
export function checkNotEmpty(subject: string, what: string, count: number): void {
  if (count > 0) return;
  throw mustBe({
    subject,
    must: `needs at least one ${what}`,
    got: "none",
    remedy: `Pass one or more ${what}s.`,
  });
}

/** `values` must have `expected` entries. */
export function checkLength(
  subject: string,
  name: string,
  values: ArrayLike<unknown>,
  expected: number,
): void {
  if (values.length === expected) return;
  throw mustBe({
    subject,
    must: `${name} must have ${expected} entries`,
    got: `${values.length}`,
    remedy: "Pass values that belong together.",
  });
}

/** Every value must be a finite number. */
export function checkFinite(subject: string, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw mustBe({
      subject,
      must: `${name} must hold finite numbers`,
      got: `${values[i]} at index ${i}`,
      remedy: "Look for a division by zero or a run that diverged before this point.",
    });
  }
}

/** Every value must be the index of a class. */
export function checkClassIndices(
  subject: string,
  name: string,
  values: ArrayLike<number>,
  classes: number,
): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isInteger(values[i]) && values[i] >= 0 && values[i] < classes) continue;
    throw mustBe({
      subject,
      must: `${name} must hold class indices from 0 to ${classes - 1}`,
      got: `${values[i]} at index ${i}`,
      remedy: "Pass the class list the labels belong to.",
    });
  }
}
