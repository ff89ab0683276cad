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
