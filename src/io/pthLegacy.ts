import { readFile } from "node:fs/promises";
import { unpickle } from "./pickledTensors.js";
import { type PthContent, pthFault } from "./pthContent.js";
import { elementBytes } from "./safetensorsHeader.js";

/** The pickle of the number with which every such file begins. */
export const legacyMagic: Buffer = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");

const layout = 1001;

/**
 * Opens what PyTorch wrote before version 1.6: pickles of a number, the layout's version, the system, the objects and the keys of
 * all storages; then every storage behind its number of elements. The whole file is read.
 *
 * @throws KatlabError `invalid` for another file, and a damaged one as far as its lengths tell: it has no checksum
 */
export async function openPthLegacy(path: string): Promise<PthContent> {
  const { BufferReader } = await import("pickleparser");
  const file = await readFile(path);
  const reader = new BufferReader(file.subarray(legacyMagic.length));
  const { value, storages } = await unpickle(path, (parser) => [0, 1, 2, 3].map(() => parser.read(reader)));
  const [version, system, root, keys] = value as unknown[];
  const isKnown = version === layout && system instanceof Map && system.get("little_endian") === true;
  if (!isKnown || !Array.isArray(keys)) {
    throw pthFault(
      path,
      `must have layout ${layout}, with little-endian numbers`,
      `layout ${String(version)}`,
    );
  }
  let at = legacyMagic.length + reader.position;
  const places = new Map<string, Buffer>();
  for (const key of keys as unknown[]) {
    const bytes = storages.get(String(key));
    if (bytes === undefined)
      throw pthFault(path, "storages must be those of its tensors", `storage ${String(key)}`);
    const elements = at + 8 <= file.length ? file.readBigInt64LE(at) : undefined;
    if (elements !== BigInt(bytes.elements)) {
      throw pthFault(path, `storage ${bytes.key} must have ${bytes.elements} elements`, String(elements));
    }
    const end = at + 8 + bytes.elements * elementBytes(bytes.dtype);
    places.set(bytes.key, file.subarray(at + 8, end));
    at = end;
  }
  if (at !== file.length) throw pthFault(path, `must be ${at} bytes long`, String(file.length));
  return {
    value: root,
    read: async ({ key }) => {
      const place = places.get(key);
      if (place === undefined) throw pthFault(path, `must hold storage ${key}`, "no such storage");
      return Promise.resolve(Uint8Array.from(place).buffer);
    },
    close: () => undefined,
  };
}
