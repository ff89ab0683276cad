import { logToTerminal } from "../terminal.js";
import type { Connection } from "../connection.js";
import type { Language } from "../engine.js";
import type { Peer } from "../peer.js";
import type { MainService, Publication, ServerService, StreamName } from "../threads.js";
import { type Header, type JsonObject, type Message, type Wire } from "../wire.js";
import { codePointsOf, unitsOf } from "./codePoints.js";
import { Executions, faultContent } from "./executions.js";
import { History } from "./history.js";
import { Interrupter } from "./interrupter.js";
import { kernelInfo } from "./kernelInfo.js";
import { RequestContent } from "./requests.js";
import { type RequestChannel, Sockets } from "./sockets.js";

/** Subscribers need about this long to connect (again); what is published before reaches nobody. */
const subscribeMs = 300;
/** After a restart JupyterLab shows an unknown status until it hears one it accepts. */
const announceMs = [300, 1500];
/** Completion kinds sent; JupyterLab shows the first few. */
const maxKinds = 300;

type Answer = JsonObject | Promise<JsonObject>;
type Handler = (content: RequestContent, message: Message) => Answer | undefined;

/** Speaks the Jupyter messaging protocol on behalf of the threads that know code and run it. */
export class KernelServer implements ServerService {
  readonly #sockets: Sockets;
  readonly #main: Peer<MainService>;
  readonly #language: Peer<Language>;
  readonly #languageVersion: string;
  readonly #executions: Executions;
  readonly #interrupter: Interrupter;
  readonly #history = new History();
  readonly #comms = new Map<string, string>();
  readonly #exit: () => void;
  #mainIsReady: () => void = () => undefined;
  readonly #whenMainIsReady = new Promise<void>((resolve) => (this.#mainIsReady = resolve));

  constructor({
    connection,
    wire,
    main,
    language,
    languageVersion,
    stopFlag,
    exit,
  }: {
    connection: Connection;
    wire: Wire;
    main: (server: ServerService) => Peer<MainService>;
    language: Peer<Language>;
    languageVersion: string;
    stopFlag: Int32Array;
    exit: () => void;
  }) {
    this.#sockets = new Sockets(connection, wire);
    this.#main = main(this);
    this.#language = language;
    this.#languageVersion = languageVersion;
    this.#exit = exit;
    this.#executions = new Executions({
      main: this.#main,
      language,
      history: this.#history,
      output: {
        publish: (request, type, content) => this.#publish(request.header, type, content),
        reply: (request, content) => this.#reply("shell", request, content),
        status: (state, request) => this.#status(state, request.header),
      },
    });
    this.#interrupter = new Interrupter(this.#main, stopFlag, (cell) => this.#executions.current === cell);
  }

  /** Opens the sockets: output first and requests last, so that no answer is lost on a front end that connects. */
  async start(): Promise<void> {
    const receive = (channel: RequestChannel) => (message: Message) => void this.#receive(channel, message);
    await Promise.all([
      this.#sockets.openOutput(),
      this.#sockets.openHeartbeat(),
      this.#sockets.open("control", receive("control")),
      this.#sockets.open("stdin", receive("stdin")),
    ]);
    await Promise.all([this.#whenMainIsReady, new Promise((resolve) => setTimeout(resolve, subscribeMs))]);
    await this.#sockets.open("shell", receive("shell"));
    this.#status("starting");
    for (const ms of announceMs) {
      setTimeout(() => {
        if (this.#executions.current === undefined) this.#status("idle");
      }, ms);
    }
  }

  ready(): void {
    this.#mainIsReady();
  }

  stream({ job, name, text }: { job: number; name: StreamName; text: string }): void {
    this.#publish(this.#executions.requestOf(job)?.header, "stream", { name, text });
  }

  publish({ job, type, content, metadata, buffers }: Publication): void {
    const parent = this.#executions.requestOf(job)?.header;
    this.#sockets.publish({ type, content, parent, metadata, buffers });
  }

  finished({ job, outcome }: Parameters<ServerService["finished"]>[0]): void {
    this.#executions.finished(job, outcome);
  }

  listensToSignal(job: number): void {
    this.#executions.listensToSignal(job);
  }

  askInput({ job, prompt, password }: { job: number; prompt: string; password: boolean }): void {
    const request = this.#executions.requestOf(job);
    if (request === undefined) return;
    const content = { prompt, password };
    this.#sockets.answer("stdin", request, { type: "input_request", content, parent: request.header });
  }

  commOpened({ id, target }: { id: string; target: string }): void {
    this.#comms.set(id, target);
  }

  commClosed(id: string): void {
    this.#comms.delete(id);
  }

  interrupt(): void {
    const { current } = this.#executions;
    if (current === undefined) return;
    this.#interrupter
      .interrupt(current)
      .catch((fault: unknown) => logToTerminal(`kernel: interrupt: ${String(fault)}`));
  }

  close(): void {
    this.#sockets.close();
  }

  readonly #handlers: Record<string, Handler | undefined> = {
    kernel_info_request: () => kernelInfo(this.#languageVersion),
    connect_request: () => ({}),
    is_complete_request: async (content) => ({
      ...(await this.#language.ask("isComplete", content.string("code"))),
    }),
    complete_request: (content) => this.#complete(content),
    inspect_request: (content) => this.#inspect(content),
    history_request: (content) => this.#history.answer(content),
    comm_info_request: (content) => this.#commInfo(content.string("target_name", "")),
    interrupt_request: () => {
      this.interrupt();
      return {};
    },
    comm_open: (content, message) => {
      // No code of the kernel registers targets, so nobody would listen.
      this.#publish(message.header, "comm_close", { comm_id: content.string("comm_id"), data: {} });
      return undefined;
    },
    comm_msg: (content, message) => this.#tellComm("message", content, message),
    comm_close: (content, message) => {
      this.#comms.delete(content.string("comm_id"));
      this.#tellComm("close", content, message);
    },
  };

  async #receive(channel: RequestChannel, message: Message): Promise<void> {
    const type = message.header.msg_type;
    if (type === "execute_request") {
      this.#executions.enqueue(message);
      return;
    }
    if (type === "input_reply") {
      this.#main.tell("input", new RequestContent(type, message.content).string("value", ""));
      return;
    }
    this.#status("busy", message.header);
    try {
      if (type === "shutdown_request") {
        this.#shutDown(channel, message);
        return;
      }
      const answer = await this.#handlers[type]?.(new RequestContent(type, message.content), message);
      if (type.endsWith("_request"))
        this.#reply(
          channel,
          message,
          answer === undefined ? unknownRequest(type) : { status: "ok", ...answer },
        );
    } catch (fault) {
      if (type.endsWith("_request"))
        this.#reply(channel, message, { status: "error", ...faultContent(fault) });
      else logToTerminal(`kernel: ${type}: ${String(fault)}`);
    }
    this.#status("idle", message.header);
    // The front end's indicator would now say idle although a cell still runs.
    const { current } = this.#executions;
    if (current !== undefined) this.#status("busy", current.request.header);
  }

  #shutDown(channel: RequestChannel, message: Message): void {
    const content = {
      status: "ok",
      restart: new RequestContent("shutdown_request", message.content).boolean("restart", false),
    };
    this.#reply(channel, message, content);
    this.#publish(message.header, "shutdown_reply", content);
    this.#status("idle", message.header);
    this.#exit();
  }

  async #complete(content: RequestContent): Promise<JsonObject> {
    const code = content.string("code");
    const position = unitsOf(code, content.integer("cursor_pos", code.length));
    const { start, end, candidates } = await this.#language.ask("complete", { code, position });
    const span = { start: codePointsOf(code, start), end: codePointsOf(code, end) };
    const kinds = candidates.slice(0, maxKinds).map(({ text, kind }) => ({ text, type: kind, ...span }));
    return {
      matches: candidates.map(({ text }) => text),
      cursor_start: span.start,
      cursor_end: span.end,
      metadata: { _jupyter_types_experimental: kinds },
    };
  }

  async #inspect(content: RequestContent): Promise<JsonObject> {
    const code = content.string("code");
    const position = unitsOf(code, content.integer("cursor_pos", code.length));
    const data = await this.#language.ask("inspect", { code, position });
    return { found: data !== null, data: data ?? {}, metadata: {} };
  }

  #commInfo(target: string): JsonObject {
    const open = [...this.#comms].filter(([, name]) => target === "" || name === target);
    return { comms: Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }])) };
  }

  #tellComm(kind: "message" | "close", content: RequestContent, message: Message): undefined {
    this.#main.tell("comm", {
      kind,
      id: content.string("comm_id"),
      data: content.object("data"),
      metadata: message.metadata,
      buffers: message.buffers,
      job: this.#executions.numberFor(message),
    });
  }

  #reply(channel: RequestChannel, request: Message, content: object): void {
    const type = request.header.msg_type.replace(/_request$/, "_reply");
    this.#sockets.answer(channel, request, { type, content, parent: request.header });
  }

  #publish(parent: Header | undefined, type: string, content: object): void {
    this.#sockets.publish({ type, content, parent });
  }

  #status(state: "starting" | "busy" | "idle", parent?: Header): void {
    this.#publish(parent, "status", { execution_state: state });
  }
}

function unknownRequest(type: string): object {
  return { status: "error", ...faultContent(new Error(`${type} is not supported`)) };
}
