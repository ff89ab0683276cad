import { catalogue, type DatasetName } from "./catalogue.js";
import { locate } from "./locate.js";

/** What the catalogue says of a set, and where it is. */
export interface DatasetEntry {
  /** What `loadDataset` takes. */
  readonly name: DatasetName;
  /** Who made it, and where it is described. */
  readonly source: string;
  /** Short name of the licence, or what its authors ask for instead. */
  readonly licence: string;
  /** Number of classes. */
  readonly classes: number;
  /** Bytes of its archive, or of its raw files where it has none; null where nobody publishes it. */
  readonly bytes: number | null;
  /** Whether it can be downloaded. */
  readonly served: boolean;
  /** The place where it was found, in words; null when it is not on this machine. */
  readonly place: string | null;
}

/** The sets that `loadDataset` knows, and where they are on this machine. Reads and downloads nothing. */
export async function listDatasets(): Promise<DatasetEntry[]> {
  return Promise.all(
    Object.values(catalogue).map(async (set) => {
      const { found, places } = await locate(set);
      const { name, source, licence, classes, urls, archive } = set;
      const files = "files" in set ? set.files : [];
      return {
        name: name as DatasetName,
        source,
        licence,
        classes: typeof classes === "number" ? classes : classes.length,
        bytes: archive ? (archive.bytes ?? null) : files.reduce((sum, { bytes }) => sum + bytes, 0),
        served: urls.length > 0,
        place: found ? places[0] : null,
      };
    }),
  );
}
