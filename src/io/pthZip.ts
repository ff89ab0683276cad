import { buffer as bufferOf } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { KatlabError } from "../errors.js";
import { unpickle } from "./pickledTensors.js";
import { type PthContent, pthFault } from "./pthContent.js";
import { elementBytes } from "./safetensorsHeader.js";

/** A pickle holds no elements: that of the largest ViT takes 100 kB. */
const mostPickleBytes = 2 ** 26;

/**
 * Opens what PyTorch writes since version 1.6: a zip file with the objects in `data.pkl`, and a record for every storage.
 *
 * @throws KatlabError `invalid` for another zip file, a damaged one, and a program (TorchScript)
 */
export async function openPthZip(path: string): Promise<PthContent> {
  const { openPromise } = await import("yauzl");
  const records = await openPromise(path, { autoClose: false }).then(
    (zip) => new Records(path, zip),
    (fault: unknown) => {
      throw damaged(path, fault);
    },
  );
  try {
    await records.list();
    if (records.has("constants.pkl")) throw pthFault(path, "must hold tensors", "a program (TorchScript)");
    if (records.has("byteorder")) {
      const order = Buffer.from(await records.read("byteorder", 16)).toString();
      if (order !== "little") throw pthFault(path, "numbers must be little-endian", order);
    }
    const pickle = new Uint8Array(await records.read("data.pkl", mostPickleBytes));
    const { value } = await unpickle(path, (parser) => parser.parse(pickle));
    return {
      value,
      read: async ({ key, dtype, elements }) => {
        const length = elements * elementBytes(dtype);
        const stored = await records.read(`data/${key}`, length);
        if (stored.byteLength === length) return stored;
        throw pthFault(path, `storage ${key} must have ${length} bytes`, String(stored.byteLength));
      },
      close: () => records.close(),
    };
  } catch (fault) {
    records.close();
    throw fault;
  }
}

/** The records of a zip file, each checked when it is read. */
class Records {
  readonly #path: string;
  readonly #zip: ZipFile;
  readonly #entries = new Map<string, Entry>();

  constructor(path: string, zip: ZipFile) {
    this.#path = path;
    this.#zip = zip;
  }

  async list(): Promise<void> {
    try {
      for await (const entry of this.#zip.eachEntry()) {
        // Everything lies in one folder, whose name is the file's when it was saved.
        const name = entry.fileName.replace(/^[^/]*\//, "");
        if (this.#entries.has(name))
          throw pthFault(this.#path, "must hold each record once", `${name} twice`);
        this.#entries.set(name, entry);
      }
    } catch (fault) {
      throw damaged(this.#path, fault);
    }
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** @param most bytes that it may have */
  async read(name: string, most: number): Promise<ArrayBuffer> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw pthFault(this.#path, `must hold ${name}`, "no such record");
    const { uncompressedSize: size } = entry;
    if (size > most) throw pthFault(this.#path, `${name} must have at most ${most} bytes`, String(size));
    let bytes: Buffer;
    try {
      bytes = await bufferOf(await this.#zip.openReadStreamPromise(entry));
    } catch (fault) {
      throw damaged(this.#path, fault);
    }
    if (crc32(bytes) !== entry.crc32)
      throw pthFault(this.#path, `${name} must match its checksum`, "other bytes");
    return Uint8Array.from(bytes).buffer;
  }

  close(): void {
    this.#zip.close();
  }
}

function damaged(path: string, fault: unknown): Error {
  if (fault instanceof KatlabError) return fault;
  return pthFault(path, "must be a whole zip file, as torch.save writes it", (fault as Error).message);
}
