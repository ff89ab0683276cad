/** One file of a set in IDX format. */
export interface ImageSetFile {
  /** Name without `.gz`; the file may lie on disk with or without it. */
  readonly name: string;
  /** Length of the raw (decompressed) file. */
  readonly bytes: number;
  /**
   * SHA-256 of the raw bytes, hexadecimal. Not of the gzip file: its header holds a name and a time,
   * so copies of the same data differ there.
   */
  readonly sha256: string;
}

/** A set of labelled images that katlab can find, fetch and check. */
export interface ImageSet {
  /** What the catalogue and folders call it. */
  readonly name: string;
  /** Who made it, and where it is described. */
  readonly source: string;
  /** Short name of the licence. */
  readonly licence: string;
  /** Class names; the label is the index. */
  readonly classes: readonly string[];
  /** Mean of each channel of the training set, pixels scaled to 0…1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel of the training set, pixels scaled to 0…1. */
  readonly std: readonly number[];
  /** Images `[count, height, width]` and labels `[count]` of both parts. */
  readonly files: Readonly<Record<"trainImages" | "trainLabels" | "testImages" | "testLabels", ImageSetFile>>;
  /** Places that serve `<url><file name>.gz`, tried in order. */
  readonly urls: readonly string[];
}
