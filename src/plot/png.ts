import { crc32, deflateSync } from "node:zlib";

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** PNG's colour types by number of channels: grey, grey + alpha, RGB, RGBA. */
const colourTypes: readonly (number | undefined)[] = [undefined, 0, 4, 2, 6];

/** Whether PNG has a colour type of so many channels. */
export function isPngChannels(channels: number): boolean {
  return colourTypes[channels] !== undefined;
}

/**
 * Encodes 8-bit pixels as PNG, without waiting: a chart's specification holds its pictures.
 * Rows are stored as they are ("filter none"), which suits pictures of a few hundred pixels.
 *
 * @param pixels - `[height, width, channels]`, row-major
 * @param shape - height, width and channels, 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
 */
export function encodePng(
  pixels: Uint8Array,
  [height, width, channels]: readonly [height: number, width: number, channels: number],
): Uint8Array {
  const rowBytes = width * channels;
  const rows = new Uint8Array(height * (rowBytes + 1));
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), y * (rowBytes + 1) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colourTypes[channels] ?? 0, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, content.length + 8)), content.length + 8);
  return bytes;
}

/** The bytes as an address that holds its own content. */
export function pngAddress(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString("base64")}`;
}

/** Width and height in pixels; they open every PNG, after 16 bytes. */
export function pngSize(png: Uint8Array): { width: number; height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
