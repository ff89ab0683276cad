import { joinIdx, parseIdx } from "./idx.js";
import type { ImageSet, ImageSetFile, LabelledImages } from "./imageSet.js";

/** The four files of a set in IDX format: images `[count, height, width]` and labels `[count]` of both parts. */
export type IdxFiles = Readonly<
  Record<"trainImages" | "trainLabels" | "testImages" | "testLabels", ImageSetFile>
>;

/** A set in IDX format, as MNIST and its successors are. */
export function idxSet({
  files,
  ...description
}: Omit<ImageSet, "files" | "read"> & { readonly files: IdxFiles }): ImageSet {
  const { name, classes } = description;
  return {
    ...description,
    files: Object.values(files),
    read: (content) => {
      const part = (which: "train" | "test"): LabelledImages => {
        const subject = `${name} ${which}`;
        const bytes = (kind: "Images" | "Labels"): Uint8Array => content[files[`${which}${kind}`].name];
        const images = parseIdx(`${subject} images`, bytes("Images"), 3);
        return joinIdx(subject, images, parseIdx(`${subject} labels`, bytes("Labels"), 1), classes.length);
      };
      return { train: part("train"), test: part("test") };
    },
  };
}
