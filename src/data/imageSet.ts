import type { Digest } from "./digest.js";

/** One file of a set. */
export interface ImageSetFile {
  /** Name without `.gz`; the file may lie on disk with or without it. */
  readonly name: string;
  /** Length of the raw (decompressed) file. */
  readonly bytes: number;
  /**
   * SHA-256 of the raw bytes, hexadecimal; undefined where only the archive's digest is published. Not of a gzip file: its
   * header holds a name and a time, so copies of the same data differ there.
   */
  readonly sha256?: string;
}

/** A tar file that holds a set. */
export interface ImageSetArchive {
  /** Its name, which ends in `.tar`, `.tar.gz`, `.tgz` or `.tar.xz`. */
  readonly name: string;
  /** Its length; undefined where it is not published. */
  readonly bytes?: number;
  /** What it hashes to; undefined where everybody packs it anew. */
  readonly digest?: Digest;
  /** The folder in it that holds the files; "" for its root. */
  readonly folder: string;
}

/** Images and labels that belong together. */
export interface LabelledImages {
  /** `[count, height, width, channels]`, row-major. */
  readonly images: Uint8Array;
  /** `[count]`, each in `[0, classes)`. */
  readonly labels: Int32Array;
  /** Height, width and channels of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
}

/** What is said of every set. */
export interface SetDescription {
  /** What the catalogue and folders call it. */
  readonly name: string;
  /** Who made it, and where it is described. */
  readonly source: string;
  /** Short name of the licence, or what its authors ask for instead. */
  readonly licence: string;
  /** Where it can be downloaded, tried in order: what the name of a file (`.gz` where there is no archive) is appended to. */
  readonly urls: readonly string[];
}

/** A set whose files hold many images each. */
export interface ImageSet extends SetDescription {
  /** Class names; the label is the index. */
  readonly classes: readonly string[];
  /** Mean of each channel of the training set, pixels scaled to 0…1. Default: computed. */
  readonly mean?: readonly number[];
  /** Standard deviation of each channel of the training set, pixels scaled to 0…1. Default: computed. */
  readonly std?: readonly number[];
  /** All files it consists of. */
  readonly files: readonly ImageSetFile[];
  /** How it is distributed, if not file by file. */
  readonly archive?: ImageSetArchive;
  /** Makes images of the raw bytes of its files. */
  readonly read: (content: Readonly<Record<string, Uint8Array>>) => {
    readonly train: LabelledImages;
    readonly test: LabelledImages;
  };
}

/** A set of pictures in folders, `train/<class>/…` and `test/<class>/…` or `val/<class>/…`. */
export interface PictureSet extends SetDescription {
  /** Number of its classes. */
  readonly classes: number;
  /** Height and width to which its pictures are brought unless others are asked for. */
  readonly size: number;
  /** How it is distributed. */
  readonly archive: ImageSetArchive;
}
