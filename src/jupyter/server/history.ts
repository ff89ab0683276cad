import type { JsonObject } from "../wire.js";
import type { RequestContent } from "./requests.js";

/** One cell that was run, and the text of its result. */
interface Entry {
  count: number;
  input: string;
  output: string | null;
}

/** What was run since the kernel started; consoles fill their arrow keys from it. */
export class History {
  readonly #entries: Entry[] = [];

  add(count: number, input: string): void {
    this.#entries.push({ count, input, output: null });
  }

  /** Notes the result of the cell that was added last. */
  setOutput(text: string): void {
    const entry = this.#entries.at(-1);
    if (entry !== undefined) entry.output = text;
  }

  /** Answers a `history_request`: the last `n` cells, those from `start` to `stop`, or those like a pattern. */
  answer(request: RequestContent): JsonObject {
    const withOutput = request.boolean("output", false);
    const entries = this.#select(request);
    return {
      history: entries.map(({ count, input, output }) => [1, count, withOutput ? [input, output] : input]),
    };
  }

  #select(request: RequestContent): Entry[] {
    const limit = request.integer("n", this.#entries.length);
    switch (request.string("hist_access_type", "tail")) {
      case "range": {
        // Session 0 is the running one; earlier ones are not kept.
        if (![0, 1].includes(request.integer("session", 0))) return [];
        const stop = request.integer("stop", Infinity);
        const start = request.integer("start", 1);
        return this.#entries.filter(({ count }) => count >= start && count < stop);
      }
      case "search": {
        const pattern = globPattern(request.string("pattern", "*"));
        const found = this.#entries.filter(({ input }) => pattern.test(input));
        const inputs = new Set<string>();
        const isUnique = request.boolean("unique", false);
        return found
          .filter(({ input }) => !isUnique || (!inputs.has(input) && inputs.add(input)))
          .slice(-limit);
      }
      default:
        return limit === 0 ? [] : this.#entries.slice(-limit);
    }
  }
}

/** `*` and `?` as in file names. */
function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
