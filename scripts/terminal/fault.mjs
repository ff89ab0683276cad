// The form of src/errors.ts, for programs that run before anything is installed or compiled.

/** Something that cannot work, told in one sentence. */
export class Fault extends Error {
  /** @param {string} sentence */
  constructor(sentence) {
    super(sentence);
    this.name = "Fault";
  }
}

/**
 * A fault in the form `subject: what must hold; got what. What to do.`
 *
 * @param {{ subject: string, must: string, got: string, remedy: string }} complaint
 * @returns {Fault}
 */
export function fault({ subject, must, got, remedy }) {
  return new Fault(`${subject}: ${must}; got ${got}. ${remedy}`);
}
