import { mustBe } from "../errors.js";
import type { StoredBytes } from "./pickledTensors.js";

/** The objects of a file, and its storages as they are asked for. */
export interface PthContent {
  /** Tensors as they are described, plain values, lists, maps. */
  readonly value: unknown;
  /** The bytes of a storage. */
  readonly read: (bytes: StoredBytes) => Promise<ArrayBuffer>;
  /** Closes the file. */
  readonly close: () => void;
}

/** A file that is not whole, or not what PyTorch writes. */
export function pthFault(subject: string, must: string, got: string): Error {
  return mustBe({
    subject,
    must,
    got,
    remedy: "Save the state_dict again in Python, or fetch the file again.",
  });
}
