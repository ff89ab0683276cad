import { createHash } from "node:crypto";
import { mustBe } from "../errors.js";

/** What the bytes of a file hash to. */
export interface Digest {
  /** How they are hashed. */
  readonly algorithm: "sha256" | "md5";
  /** Hexadecimal. */
  readonly hex: string;
}

const names = { sha256: "SHA-256", md5: "MD5" } as const;

/**
 * @param subject names the file in messages
 * @throws KatlabError `invalid` for bytes with another digest
 */
export function checkDigest(subject: string, bytes: Uint8Array, { algorithm, hex }: Digest): void {
  const own = createHash(algorithm).update(bytes).digest("hex");
  if (own === hex) return;
  throw mustBe({
    subject,
    must: `must have the ${names[algorithm]} ${hex}`,
    got: own,
    remedy: "Delete the file and fetch it again.",
  });
}
