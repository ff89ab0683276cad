/** What the kernel's threads offer each other; {@link Peer} carries the calls. */

import type { CompiledCell, MimeBundle } from "./engine.js";
import type { JsonObject } from "./wire.js";

/** A cell to run, and what its front end allows. */
export interface RunRequest {
  cell: CompiledCell;
  /** No result is wanted. */
  silent: boolean;
  allowStdin: boolean;
}

/** A fault as Jupyter shows it. */
export interface ErrorContent {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** A result or display in JSON's terms: binary data is base64, typed arrays are lists. */
export interface DisplayContent {
  data: MimeBundle;
  metadata: JsonObject;
}

/** How a run ended, ready to be published. */
export interface RunOutcome {
  reached: number;
  /** JSON text of a {@link DisplayContent}; absent when there is nothing to show. */
  result?: string;
  error?: ErrorContent;
}

/** A message that a front end sends to a comm of the kernel. */
export interface CommMessage {
  kind: "message" | "close";
  id: string;
  data: JsonObject;
  metadata: JsonObject;
  buffers: Uint8Array[];
  /** Number under which output caused by this message is published. */
  job: number;
}

/** The main thread, called by the server. */
export interface MainService {
  /** Starts a cell; {@link ServerService.finished} is called when it ends. */
  run(request: RunRequest): void;
  /** Answers as soon as the main thread is free. */
  pulse(): true;
  /** Aborts the signal of the cell with this number. */
  abort(job: number): void;
  /** Ends the cell with this number, whatever its code still does. */
  stop(job: number): void;
  /** Hands over a line the user typed. */
  input(value: string): void;
  comm(message: CommMessage): void;
  exit(): void;
}

/** The server thread, called by the main thread. `job` numbers tell which request an output answers. */
export interface ServerService {
  /** The main thread can run cells. */
  ready(): void;
  stream(output: { job: number; name: StreamName; text: string }): void;
  /** Publishes a message whose content is JSON text already. */
  publish(output: Publication): void;
  finished(run: { job: number; outcome: RunOutcome }): void;
  /** The cell's code reads the stop signal, so it is given time to end by itself. */
  listensToSignal(job: number): void;
  askInput(question: { job: number; prompt: string; password: boolean }): void;
  commOpened(comm: { id: string; target: string }): void;
  commClosed(id: string): void;
  interrupt(): void;
}

export type StreamName = "stdout" | "stderr";

/** A message for all front ends. */
export interface Publication {
  job: number;
  type: "display_data" | "update_display_data" | "clear_output" | "comm_open" | "comm_msg" | "comm_close";
  content: string;
  metadata?: JsonObject | undefined;
  buffers?: Uint8Array[] | undefined;
}
