import { join } from "node:path";
import { Argument, Command } from "commander";
import { catalogue, type DatasetName } from "../data/catalogue.js";
import { unavailable } from "../errors.js";
import { table } from "./table.js";

interface Format {
  readonly json?: boolean;
}

const names = Object.keys(catalogue);

/** `katlab data`: the sets of images there are, bringing them here, and checking them. */
export function dataCommand(): Command {
  return new Command("data")
    .description("the sets of images that katlab knows: list, fetch and verify them")
    .addCommand(
      new Command("list")
        .description("every set with its size, its licence and its place on this machine")
        .option("--json", "print as JSON")
        .action(list),
    )
    .addCommand(
      new Command("fetch")
        .description("download a set; what is there already is kept, what was interrupted is resumed")
        .addArgument(new Argument("<name>", "the set").choices(names))
        .option("--folder <folder>", "put it into a sub-folder of its name there (default: the cache)")
        .action(fetch),
    )
    .addCommand(
      new Command("verify")
        .description("check every byte of sets against their checksums; exits with 1 where one differs")
        .addArgument(new Argument("[names...]", "sets (default: all on this machine)").choices(names))
        .option("--json", "print as JSON")
        .action(verify),
    );
}

async function list({ json = false }: Format): Promise<void> {
  const { listDatasets } = await import("../data/listDatasets.js");
  const entries = await listDatasets();
  if (json) {
    console.log(JSON.stringify(entries, undefined, 2));
    return;
  }
  const rows = entries.map(({ name, bytes, classes, licence, place }) => [
    name,
    `${classes} classes`,
    bytes === null ? "size unknown" : `${(bytes / 1e6).toFixed(0)} MB`,
    place ?? "not here",
    licence,
  ]);
  console.log(table(rows));
}

async function fetch(name: DatasetName, { folder }: { folder?: string }): Promise<void> {
  const [{ fetchSet }, { locate }, { pictureFolder }] = await Promise.all([
    import("../data/fetch.js"),
    import("../data/locate.js"),
    import("../data/content.js"),
  ]);
  const set = catalogue[name];
  const { found: here, places } = await locate(set, folder);
  if (here === undefined && set.urls.length === 0) {
    throw unavailable({
      subject: `katlab data fetch ${name}`,
      must: "must be served by somebody",
      got: "no place that does",
      remedy: `Make ${set.archive?.name ?? "it"} of ${set.source}, and name its folder in KATLAB_DATA.`,
    });
  }
  const to = folder === undefined ? {} : { to: join(folder, name) };
  const found = here ?? (await fetchSet(set, to));
  const where =
    "files" in set ? (found.kind === "files" ? found.paths[0] : found.path) : await pictureFolder(set, found);
  console.log(`${name}: ${here ? `was in ${places[0]} already` : "fetched"}, ${where}`);
}

async function verify(asked: readonly DatasetName[], { json = false }: Format): Promise<void> {
  const [{ locate }, { verifySet }] = await Promise.all([
    import("../data/locate.js"),
    import("../data/verify.js"),
  ]);
  const results: { name: string; good: boolean; text: string }[] = [];
  for (const name of asked.length > 0 ? asked : names) {
    const set = catalogue[name as DatasetName];
    const { found, places } = await locate(set);
    if (found) results.push({ name, ...(await verifySet(set, found)) });
    else if (asked.length > 0) results.push({ name, good: false, text: `not in ${places.join(", ")}` });
  }
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else for (const { name, good, text } of results) console.log(`${name}: ${good ? "good" : "BAD"}: ${text}`);
  if (results.some(({ good }) => !good)) process.exitCode = 1;
}
