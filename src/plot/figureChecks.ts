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

/** `value` must be a whole number in a range. */
export function checkWhole(
  subject: string,
  name: string,
  value: number,
  { from, to }: { from: number; to: number },
): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw mustBe({
    subject,
    must: `${name} must be a whole number from ${from} to ${to}`,
    got: `${value}`,
    remedy: "Choose one in this range.",
  });
}

/** Every value must be a finite number. */
export function checkFinite(subject: string, name: string, values: ArrayLike<number>): void {
  checkEach(subject, name, values, {
    holds: Number.isFinite,
    what: "finite numbers",
    remedy: "Look for a division by zero or a run that diverged before this point.",
  });
}

/** Every value must count something. */
export function checkCounts(subject: string, name: string, values: ArrayLike<number>): void {
  checkEach(subject, name, values, {
    holds: (value) => Number.isInteger(value) && value >= 0,
    what: "whole numbers of at least 0",
    remedy: "Pass counts, not shares.",
  });
}

/** Every value must be the index of a class. */
export function checkClassIndices(
  subject: string,
  name: string,
  values: ArrayLike<number>,
  classes: number,
): void {
  checkEach(subject, name, values, {
    holds: (value) => Number.isInteger(value) && value >= 0 && value < classes,
    what: `class indices from 0 to ${classes - 1}`,
    remedy: "Pass the class list the labels belong to.",
  });
}

function checkEach(
  subject: string,
  name: string,
  values: ArrayLike<number>,
  rule: { holds: (value: number) => boolean; what: string; remedy: string },
): void {
  for (let i = 0; i < values.length; i++) {
    if (rule.holds(values[i])) continue;
    throw mustBe({
      subject,
      must: `${name} must hold ${rule.what}`,
      got: `${values[i]} at index ${i}`,
      remedy: rule.remedy,
    });
  }
}
