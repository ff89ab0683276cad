/**
 * Every message a user reads is built here, in one form:
 * `subject: what must hold; got what. What to do.`
 */

/** Base of all errors katlab raises on purpose; `code` is stable, the text is not. */
export class KatlabError extends Error {
  /** The class's name, which starts a printed stack. */
  override readonly name: string = "KatlabError";
  /** Stable identifier of the kind of fault, for programs. */
  readonly code: string;
  /** The message's last sentence: what the reader can do. */
  readonly remedy: string | undefined;
  constructor(code: string, message: string, options: ErrorOptions & { remedy?: string } = {}) {
    const { remedy, ...errorOptions } = options;
    super(message, errorOptions);
    this.code = code;
    this.remedy = remedy;
  }
}

/** The parts of a message: who complains, what must hold, what came, and what the reader can do. */
export interface Complaint {
  /** What complains: a function, file, option or device. */
  subject: string;
  /** What must hold, in words. */
  must: string;
  /** What came instead. */
  got: string;
  /** What the reader can do about it. */
  remedy: string;
}

function fault(code: string, { subject, must, got, remedy }: Complaint, options?: ErrorOptions): KatlabError {
  const sentence = /[.!?]$/.test(remedy) ? remedy : `${remedy}.`;
  return new KatlabError(code, `${subject}: ${must}; got ${got}. ${sentence}`, {
    ...options,
    remedy: sentence,
  });
}

/** A value, setting or file that breaks a rule. */
export function mustBe(complaint: Complaint): KatlabError {
  return fault("invalid", complaint);
}

/** `divisor` must divide `value`; names both by their field terms. */
export function mustDivide(
  subject: string,
  value: { name: string; value: number },
  divisor: { name: string; value: number },
  remedy: string = `Choose ${divisor.name} that divides ${value.name}.`,
): KatlabError {
  return fault("indivisible", {
    subject,
    must: `${value.name} (${value.value}) must be a multiple of ${divisor.name} (${divisor.value})`,
    got: `remainder ${value.value % divisor.value}`,
    remedy,
  });
}

/** A tensor whose shape does not fit; `expected` may hold axis names. */
export function mustHaveShape(
  subject: string,
  expected: readonly (string | number)[],
  got: readonly number[],
): KatlabError {
  return fault("shape", {
    subject,
    must: `shape must be [${expected.join(", ")}]`,
    got: `[${got.join(", ")}]`,
    remedy: "Reshape or transpose the input to these axes.",
  });
}

/** An option that does not exist, with the nearest existing name. */
export function unknownOption(subject: string, got: string, known: readonly string[]): KatlabError {
  // What comes from JSON may be no text at all.
  const nearest = typeof got === "string" ? nearestName(got, known) : undefined;
  return fault("unknown", {
    subject,
    must: `must be one of ${known.join(", ")}`,
    got: JSON.stringify(got),
    remedy: nearest === undefined ? "Choose one of these." : `Did you mean ${JSON.stringify(nearest)}?`,
  });
}

/** Something that is not there: a device, a library, a file. `remedy` says how to get it. */
export function unavailable(complaint: Complaint, cause?: unknown): KatlabError {
  return fault("unavailable", complaint, cause === undefined ? undefined : { cause });
}

/** Memory that was asked for and is not there; `cause` is the error of whoever has none. */
export function outOfMemory(complaint: Complaint, cause: unknown): KatlabError {
  return fault("out-of-memory", complaint, { cause });
}

/** The name closest to `got` by edit distance, if it is close enough to be a slip. */
export function nearestName(got: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(got.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(got.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitute, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[b.length];
}
