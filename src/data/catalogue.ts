import { cifar10, cifar100 } from "./cifarSets.js";
import { fashionMnist } from "./fashionMnist.js";
import type { ImageSet, PictureSet } from "./imageSet.js";
import { mnist } from "./mnist.js";
import { cifar10Jpeg, imagenette160 } from "./pictureSets.js";

/** Names that `loadDataset` knows. */
export type DatasetName =
  "fashion-mnist" | "mnist" | "cifar10" | "cifar100" | "cifar10-jpeg" | "imagenette2-160";

/** Every set by its name. */
export const catalogue: Readonly<Record<DatasetName, ImageSet | PictureSet>> = {
  "fashion-mnist": fashionMnist,
  mnist,
  cifar10,
  cifar100,
  "cifar10-jpeg": cifar10Jpeg,
  "imagenette2-160": imagenette160,
};
