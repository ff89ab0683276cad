import { type CifarRecord, readCifar } from "./cifar.js";
import type { ImageSet, ImageSetFile } from "./imageSet.js";

const source = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009";
const licence = "none stated; its author asks to be cited";
const urls = ["https://www.cs.toronto.edu/~kriz/"];

/** CIFAR-10: 50,000 + 10,000 colour pictures, 32 × 32, ten classes of equal size; the binary version. */
export const cifar10: ImageSet = cifarSet({
  name: "cifar10",
  classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
  archive: {
    name: "cifar-10-binary.tar.gz",
    bytes: 170_052_171,
    digest: { algorithm: "sha256", hex: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd" },
    folder: "cifar-10-batches-bin",
  },
  train: [1, 2, 3, 4, 5].map((batch) => ({ name: `data_batch_${batch}.bin`, bytes: 30_730_000 })),
  test: { name: "test_batch.bin", bytes: 30_730_000 },
  record: { labelBytes: 1, label: 0, classes: 10 },
});

/** CIFAR-100: 50,000 + 10,000 colour pictures, 32 × 32, 100 classes of equal size (the fine labels); the binary version. */
export const cifar100: ImageSet = cifarSet({
  name: "cifar100",
  classes:
    `apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm`.split(/\s+/),
  archive: {
    name: "cifar-100-binary.tar.gz",
    bytes: 168_513_733,
    digest: { algorithm: "md5", hex: "03b5dce01913d631647c71ecec9e9cb8" },
    folder: "cifar-100-binary",
  },
  train: [{ name: "train.bin", bytes: 153_700_000 }],
  test: { name: "test.bin", bytes: 30_740_000 },
  record: { labelBytes: 2, label: 1, classes: 100 },
});

/** A set in CIFAR's binary format. */
export function cifarSet({
  train,
  test,
  record,
  ...description
}: Pick<ImageSet, "name" | "classes"> &
  Partial<Pick<ImageSet, "archive" | "urls">> & {
    readonly train: readonly ImageSetFile[];
    readonly test: ImageSetFile;
    readonly record: CifarRecord;
  }): ImageSet {
  const { name } = description;
  return {
    source,
    licence,
    urls,
    ...description,
    files: [...train, test],
    read: (content) => {
      const bytes = (files: readonly ImageSetFile[]): Uint8Array[] => files.map((file) => content[file.name]);
      return {
        train: readCifar(`${name} train`, bytes(train), record),
        test: readCifar(`${name} test`, bytes([test]), record),
      };
    },
  };
}
