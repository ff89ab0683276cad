/** How numbers are written: short in specifications, with units for readers. */

/** Rounds to `digits` significant digits, so that specifications stay small; not finite becomes null. */
export function rounded(value: number, digits = 4): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
}

/** All of `values` {@link rounded}. */
export function roundedAll(values: Iterable<number>, digits = 4): (number | null)[] {
  return Array.from(values, (value) => rounded(value, digits));
}

/** A share from 0 to 1 in percent: `85.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A count with its thousands set apart: `10,000`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number of things: `1 image`, `10,000 images`. */
export function counted(count: number, thing: string): string {
  return `${grouped(count)} ${thing}${count === 1 ? "" : "s"}`;
}

/** A time in the unit people would say it in: `92 s`, `31 min`, `2.5 h`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
