import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects garbage until `done`, over several turns of the event loop: finalisers run in turns of their own. */
export async function collectGarbage(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50 && !done(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    gc();
  }
}
