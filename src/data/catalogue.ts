import { fashionMnist } from "./fashionMnist.js";
import type { ImageSet } from "./imageSet.js";

/** Names that `loadDataset` knows. */
export type DatasetName = "fashion-mnist";

/** Every set by its name. */
export const catalogue: Readonly<Record<DatasetName, ImageSet>> = { "fashion-mnist": fashionMnist };
