import { logToTerminal } from "../terminal.js";
import type { Connection } from "../connection.js";
import type { Language } from "../engine.js";
import type { Peer } from "../peer.js";
import type { MainService, Publication, ServerService, StreamName } from "../threads.js";
import type { Header, Message, Wire } from "../wire.js";
import { type Answer, createAnswers } from "./answers.js";
import { Executions, faultContent } from "./executions.js";
import { History } from "./history.js";
import { Interrupter } from "./interrupter.js";
import { RequestContent } from "./requests.js";
import { type RequestChannel, Sockets } from "./sockets.js";

/** Subscribers need about this long to connect (again); what is published before reaches nobody. */
const subscribeMs = 300;
/** After a restart JupyterLab shows an unknown status until it hears one it accepts. */
const announceMs = [300, 1500];
const commTypes: ReadonlySet<string> = new Set(["comm_open", "comm_msg", "comm_close"]);

/** Speaks the Jupyter messaging protocol on behalf of the threads that know code and run it. */
export class KernelServer implements ServerService {
  readonly #sockets: Sockets;
  readonly #main: Peer<MainService>;
  readonly #answers: Record<string, Answer | undefined>;
  readonly #executions: Executions;
  readonly #interrupter: Interrupter;
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
    this.#exit = exit;
    const history = new History();
    this.#answers = createAnswers({ language, languageVersion, history, comms: this.#comms });
    this.#executions = new Executions({
      main: this.#main,
      language,
      history,
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
    const receive = (channel: RequestChannel) => (message: Message) => this.#receive(channel, message);
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

  async #receive(channel: RequestChannel, message: Message): Promise<void> {
    const type = message.header.msg_type;
    const content = new RequestContent(type, message.content);
    if (type === "execute_request") {
      this.#executions.enqueue(message);
    } else if (type === "input_reply") {
      this.#main.tell("input", content.string("value", ""));
    } else if (type.endsWith("_request") || commTypes.has(type)) {
      await this.#answerWhileBusy(channel, type, content, message);
      if (type === "shutdown_request") this.#exit();
    }
  }

  async #answerWhileBusy(
    channel: RequestChannel,
    type: string,
    content: RequestContent,
    message: Message,
  ): Promise<void> {
    this.#status("busy", message.header);
    try {
      if (type.endsWith("_request")) {
        this.#reply(channel, message, await this.#answer(type, content, message));
      } else {
        this.#receiveComm(type, content, message);
      }
    } finally {
      this.#status("idle", message.header);
      // The front end's indicator would now say idle although a cell still runs.
      const { current } = this.#executions;
      if (current !== undefined) this.#status("busy", current.request.header);
    }
  }

  async #answer(type: string, content: RequestContent, message: Message): Promise<object> {
    try {
      if (type === "interrupt_request") {
        this.interrupt();
        return { status: "ok" };
      }
      if (type === "shutdown_request") {
        const answer = { status: "ok", restart: content.boolean("restart", false) };
        this.#publish(message.header, "shutdown_reply", answer);
        return answer;
      }
      const answer = this.#answers[type];
      if (answer === undefined) throw new Error(`${type} is not supported`);
      return { status: "ok", ...(await answer(content)) };
    } catch (fault) {
      return { status: "error", ...faultContent(fault) };
    }
  }

  #receiveComm(type: string, content: RequestContent, message: Message): void {
    const id = content.string("comm_id");
    if (type === "comm_open") {
      // No code of the kernel registers targets, so nobody would listen.
      this.#publish(message.header, "comm_close", { comm_id: id, data: {} });
      return;
    }
    if (type === "comm_close") this.#comms.delete(id);
    this.#main.tell("comm", {
      kind: type === "comm_close" ? "close" : "message",
      id,
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
