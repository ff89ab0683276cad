import sharp from "sharp";
import { expect, test } from "vitest";
import { encodePng, isPngChannels, pngAddress, pngSize } from "../../src/plot/png.js";

/** Red, green, blue and alpha of a pixel with 1 to 4 channels. */
function rgba(pixel: readonly number[]): number[] {
  const [first, second = 255, third, fourth = 255] = pixel;
  return pixel.length < 3 ? [first, first, first, second] : [first, second, third, fourth];
}

test.each([1, 2, 3, 4])("encodes %d channels, as another decoder reads them", async (channels) => {
  const [height, width] = [5, 7];
  const pixels = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 53) & 255);
  const png = encodePng(pixels, [height, width, channels]);
  expect(pngSize(png)).toEqual({ width, height });
  expect(await sharp(png).metadata()).toMatchObject({
    format: "png",
    width,
    height,
    channels,
    depth: "uchar",
  });
  const decoded = await sharp(png).toColourspace("srgb").ensureAlpha().raw().toBuffer();
  const expected = Array.from({ length: height * width }, (_, i) =>
    rgba([...pixels.subarray(i * channels, (i + 1) * channels)]),
  );
  expect([...decoded]).toEqual(expected.flat());
});

test("knows which numbers of channels there are", () => {
  expect([0, 1, 2, 3, 4, 5, 1.5, NaN].filter(isPngChannels)).toEqual([1, 2, 3, 4]);
});

test("an address holds the bytes", () => {
  expect(pngAddress(Uint8Array.of(0xfb, 0xff))).toBe("data:image/png;base64,+/8=");
});
