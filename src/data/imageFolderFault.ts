import { mustBe } from "../errors.js";

/** A fault of a folder of pictures, or of one of its files. */
export function imageFolderFault(where: string, must: string, got: string, remedy: string): Error {
  return mustBe({ subject: `imageFolder ${where}`, must, got, remedy });
}

/** The system's own words. */
export function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
