import { unavailable } from "../../errors.js";
import type { MimeBundle } from "../engine.js";
import type { Publication, ServerService } from "../threads.js";
import type { JsonObject } from "../wire.js";
import type { Peer } from "../peer.js";
import type { CellContext, CellContexts } from "./cellContexts.js";
import { type Comm, type CommOptions, Comms } from "./comms.js";
import { encodedBundle, jsonOf } from "./displayContent.js";

/**
 * What libraries find under `globalThis[Symbol.for("jupyter.kernel")]`. They need no import of the kernel, and
 * run without one: where the symbol is missing, there is no notebook.
 */
export interface KernelHost {
  /** Version of this interface. */
  readonly version: 1;
  /**
   * Shows one thing in all its representations.
   *
   * @param data MIME types to data; `Uint8Array` becomes base64, JSON types take objects
   * @param options.metadata by MIME type, as renderers expect it
   * @param options.id makes the display replaceable
   * @param options.update replaces what was shown under `id`, wherever it is
   */
  display(data: MimeBundle, options?: { metadata?: JsonObject; id?: string; update?: boolean }): void;
  /** Empties the cell's output, at once or (`wait`, the default) when the next output comes. */
  clearOutput(wait?: boolean): void;
  /**
   * Aborted by the stop button. Whoever reads it promises to end soon and is given time to: the cell then
   * returns what it has, where others are cut off.
   */
  readonly signal: AbortSignal;
  /** The number beside the cell that runs, or ran last. */
  readonly executionCount: number;
  /**
   * Asks the user for a line.
   *
   * @throws KatlabError when the front end cannot ask, as in headless runs
   */
  input(prompt?: string, password?: boolean): Promise<string>;
  /**
   * Opens a channel to front-end code registered under a name, such as widgets. What its listeners print and show
   * goes to the cell that has opened it.
   */
  comm(target: string, data?: JsonObject, options?: CommOptions): Comm;
}

/** Well-known key of the {@link KernelHost} on `globalThis`. */
export const hostSymbol: symbol = Symbol.for("jupyter.kernel");

/** The kernel's side of {@link KernelHost}. */
export class Host implements KernelHost {
  readonly version = 1;
  readonly #server: Peer<ServerService>;
  readonly #contexts: CellContexts;
  readonly #comms: Comms;
  readonly #flush: () => void;
  readonly #inputs: ((value: string) => void)[] = [];
  readonly #polite = new WeakSet<CellContext>();

  /** @param flush sends pending stream text, so that messages stay in order */
  constructor(server: Peer<ServerService>, contexts: CellContexts, flush: () => void) {
    this.#server = server;
    this.#contexts = contexts;
    this.#flush = flush;
    this.#comms = new Comms(server, (publication) => this.#publish(publication));
  }

  get comms(): Comms {
    return this.#comms;
  }

  get executionCount(): number {
    return this.#contexts.count;
  }

  get signal(): AbortSignal {
    const cell = this.#contexts.here;
    if (cell === undefined) return new AbortController().signal;
    if (!this.#polite.has(cell)) {
      this.#polite.add(cell);
      this.#server.tell("listensToSignal", cell.id);
    }
    return cell.abort.signal;
  }

  display(
    data: MimeBundle,
    { metadata = {}, id, update = false }: { metadata?: JsonObject; id?: string; update?: boolean } = {},
  ): void {
    const transient = id === undefined ? {} : { display_id: id };
    this.#publish({
      type: update ? "update_display_data" : "display_data",
      content: jsonOf({ data: encodedBundle(data), metadata, transient }),
    });
  }

  clearOutput(wait = true): void {
    this.#publish({ type: "clear_output", content: jsonOf({ wait }) });
  }

  input(prompt = "", password = false): Promise<string> {
    const cell = this.#contexts.here;
    if (cell?.allowStdin !== true) {
      return Promise.reject(
        unavailable({
          subject: "input",
          must: "needs a front end that can ask its user",
          got: "one that cannot",
          remedy: "Give the value in the cell.",
        }),
      );
    }
    this.#flush();
    this.#server.tell("askInput", { job: cell.id, prompt, password });
    return new Promise((resolve) => this.#inputs.push(resolve));
  }

  comm(target: string, data: JsonObject = {}, options: CommOptions = {}): Comm {
    return this.#comms.open(target, data, options, this.#contexts.here?.id);
  }

  /** Hands over a line the user typed. */
  receiveInput(value: string): void {
    this.#inputs.shift()?.(value);
  }

  #publish(publication: Omit<Publication, "job">): void {
    const cell = this.#contexts.here;
    if (cell === undefined || cell.isStopped) return;
    this.#flush();
    this.#server.tell("publish", { ...publication, job: cell.id });
  }
}
