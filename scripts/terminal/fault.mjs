// The form of src/errors.ts, for programs that run before anything is installed or compiled.

/** A step that cannot work, in one sentence: `subject: what must hold; got what. What to do.` */
export class Fault extends Error {
  /** @param {{ subject: string, must: string, got: string, remedy: string }} complaint */
  constructor({ subject, must, got, remedy }) {
    super(`${subject}: ${must}; got ${got}. ${remedy}`);
    this.name = "Fault";
  }
}
