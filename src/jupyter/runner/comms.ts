import { randomUUID } from "node:crypto";
import type { Peer } from "../peer.js";
import type { CommMessage, Publication, ServerService } from "../threads.js";
import type { JsonObject } from "../wire.js";
import { jsonOf } from "./displayContent.js";

/** What comes in on a comm. */
export interface CommEvent {
  data: JsonObject;
  metadata: JsonObject;
  buffers: Uint8Array[];
}

export interface CommOptions {
  /** Chosen at random by default. */
  id?: string;
  metadata?: JsonObject;
  buffers?: Uint8Array[];
  onMessage?: (event: CommEvent) => void;
  onClose?: (event: CommEvent) => void;
}

/** A channel between kernel and front end, opened by the kernel. */
export interface Comm {
  readonly id: string;
  readonly target: string;
  send(data: JsonObject, options?: { metadata?: JsonObject; buffers?: Uint8Array[] }): void;
  close(data?: JsonObject): void;
}

/** The comms that are open. */
export class Comms {
  readonly #server: Peer<ServerService>;
  readonly #publish: (publication: Omit<Publication, "job">) => void;
  readonly #open = new Map<string, CommOptions & { run: number | undefined }>();

  constructor(server: Peer<ServerService>, publish: (publication: Omit<Publication, "job">) => void) {
    this.#server = server;
    this.#publish = publish;
  }

  /** @param run the run that opens it, in whose output shows what its listeners do */
  open(target: string, data: JsonObject, options: CommOptions, run: number | undefined): Comm {
    const { id = randomUUID(), metadata, buffers } = options;
    this.#open.set(id, { ...options, run });
    this.#server.tell("commOpened", { id, target });
    this.#publish({
      type: "comm_open",
      content: jsonOf({ comm_id: id, target_name: target, data }),
      metadata,
      buffers,
    });
    return {
      id,
      target,
      send: (message, more = {}) =>
        this.#publish({ type: "comm_msg", content: jsonOf({ comm_id: id, data: message }), ...more }),
      close: (message = {}) => {
        this.#open.delete(id);
        this.#server.tell("commClosed", id);
        this.#publish({ type: "comm_close", content: jsonOf({ comm_id: id, data: message }) });
      },
    };
  }

  /** The run that opened a comm. */
  runOf(id: string): number | undefined {
    return this.#open.get(id)?.run;
  }

  receive({ kind, id, data, metadata, buffers }: CommMessage): void {
    const comm = this.#open.get(id);
    if (kind === "close") this.#open.delete(id);
    const listener = kind === "close" ? comm?.onClose : comm?.onMessage;
    listener?.({ data, metadata, buffers });
  }
}
