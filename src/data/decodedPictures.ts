import { sizeOf } from "../shape.js";
import { imageFolderFault, wordsOf } from "./imageFolderFault.js";
import type { Picture } from "./listPictures.js";
import type { PixelSource } from "./pixelSource.js";
import { someAtATime } from "./someAtATime.js";

/**
 * Pictures decoded at a time. sharp decodes in libuv's threads, `UV_THREADPOOL_SIZE` of them, and a queue keeps them busy. They
 * are the process's: workers of Node's would only wait for the same ones.
 */
const atATime = 32;

/**
 * Pictures that are decoded whenever they are read, to colour without transparency.
 *
 * @param size height and width they are brought to: scaled until they cover the square, of which the middle is taken. Without it
 *   all must have the size of the first.
 * @throws KatlabError `invalid` where the first cannot be decoded
 */
export async function decodedPictures(
  name: string,
  pictures: readonly Picture[],
  size?: number,
): Promise<PixelSource> {
  const own = size === undefined ? await decode(pictures[0].path, size) : { height: size, width: size };
  const shape = [own.height, own.width, 3] as const;
  return {
    name,
    count: pictures.length,
    shape,
    read: (indices, into, signal) =>
      someAtATime(
        indices.length,
        atATime,
        async (i) => {
          const { path } = pictures[indices[i]];
          const { pixels, height, width } = await decode(path, size);
          if (height !== shape[0] || width !== shape[1]) throw sizesDiffer(path, [height, width], shape);
          into.set(pixels, i * sizeOf(shape));
        },
        signal,
      ),
  };
}

/** A fault of something that has another size than `wanted`. */
export function sizesDiffer(
  where: string,
  [height, width]: readonly number[],
  wanted: readonly number[],
): Error {
  return imageFolderFault(
    where,
    `all pictures must have one size, ${wanted[0]} × ${wanted[1]} like the first`,
    `${height} × ${width}`,
    "Give a size, to which all are scaled.",
  );
}

async function decode(
  path: string,
  size: number | undefined,
): Promise<{ pixels: Uint8Array; height: number; width: number }> {
  const { default: sharp } = await import("sharp");
  try {
    // Orientation tags are not followed, as other loaders of ImageNet do not.
    const picture = sharp(path).removeAlpha().toColourspace("srgb");
    const fitted = size === undefined ? picture : picture.resize(size, size, { fit: "cover" });
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true });
    return { pixels: data, height: info.height, width: info.width };
  } catch (cause) {
    throw imageFolderFault(
      path,
      "must be a picture that can be decoded",
      wordsOf(cause),
      "Replace the file, or take it away.",
    );
  }
}
