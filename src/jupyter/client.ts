import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import * as zmq from "zeromq";
import { unavailable } from "../errors.js";
import { addressOf, type Channel, type Connection, formatConnection } from "./connection.js";
import { type JsonObject, type Message, Wire } from "./wire.js";

export interface StartOptions {
  /** Program and arguments; `{connection_file}` is replaced by the path of that file. */
  argv: readonly string[];
  /** The notebook's folder. */
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Time until the kernel must have answered. @default 30000 */
  timeoutMs?: number;
}

/** Everything one request caused, in the order it came. */
export interface ExecutionResult {
  reply: JsonObject;
  /** Messages of the output channel that name this request, its status messages included. */
  outputs: Message[];
  /** Joined text of both streams. */
  stdout: string;
  stderr: string;
}

/** Pause between attempts to reach a kernel that is starting. */
const retryMs = 50;
const requestChannels = ["shell", "control", "stdin"] as const;

/**
 * Starts a kernel and talks to it, without any Python: for checks of an installation, tests and benchmarks.
 */
export class KernelClient {
  readonly process: ChildProcess;
  /** Every message of the output channel since the start; whoever runs for hours empties it. */
  readonly published: Message[] = [];
  /** Signs and encodes messages as this client does. */
  readonly wire: Wire;
  readonly #folder: string;
  readonly #iopub = new zmq.Subscriber();
  readonly #channels: Record<(typeof requestChannels)[number], zmq.Dealer>;
  readonly #replies = new Map<string, (message: Message) => void>();
  readonly #idle = new Map<string, () => void>();
  readonly #exited: Promise<number | null>;
  /** Answers `input_request`s. */
  onInput: (prompt: string) => string = () => "";
  /** Told every message of the output channel as it comes. */
  onPublished: (message: Message) => void = () => undefined;

  private constructor(connection: Connection, process: ChildProcess, folder: string) {
    this.process = process;
    this.#folder = folder;
    this.wire = new Wire({ ...connection, username: "client" });
    this.#exited = new Promise((resolve) => process.once("exit", (code) => resolve(code)));
    const routingId = randomUUID();
    const dealer = (): zmq.Dealer => new zmq.Dealer({ routingId, linger: 0 });
    this.#channels = { shell: dealer(), control: dealer(), stdin: dealer() };
    this.#iopub.subscribe();
    this.#iopub.connect(addressOf(connection, "iopub"));
    void this.#listen(this.#iopub, (message) => this.#receivePublished(message));
    for (const channel of requestChannels) {
      this.#channels[channel].connect(addressOf(connection, channel));
      void this.#listen(this.#channels[channel], (message) => this.#receive(message));
    }
  }

  /**
   * Starts a kernel and waits until it answers.
   *
   * @throws KatlabError when it does not in time
   */
  static async start({ argv, cwd, env, timeoutMs = 30_000 }: StartOptions): Promise<KernelClient> {
    const folder = mkdtempSync(path.join(tmpdir(), "katlab-kernel-"));
    const connection = await freeConnection();
    const file = path.join(folder, "connection.json");
    writeFileSync(file, formatConnection(connection));
    const [program, ...args] = argv.map((argument) => argument.replace("{connection_file}", file));
    const child = spawn(program, args, {
      cwd,
      env: { ...(env ?? process.env), JPY_PARENT_PID: String(process.pid) },
      // As Jupyter does: Ctrl-C is for whoever uses the kernel, who then asks it to stop.
      detached: process.platform !== "win32",
      stdio: ["ignore", "inherit", "inherit"],
    });
    const client = new KernelClient(connection, child, folder);
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && child.exitCode === null) {
      const { reply, idle } = client.#send("shell", "kernel_info_request", {});
      const isReady = await Promise.race([
        Promise.all([reply, idle]).then(() => true),
        delay(retryMs).then(() => false),
      ]);
      if (isReady) return client;
    }
    client.kill();
    throw unavailable({
      subject: argv.join(" "),
      must: `must answer within ${timeoutMs / 1000} s`,
      got: child.exitCode === null ? "no answer" : `exit with code ${child.exitCode}`,
      remedy: "Run the command by hand and read what it prints.",
    });
  }

  /** Resolves when the kernel has ended, to its exit code; to null when a signal ended it. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Runs a cell and waits for its reply and for all its output. */
  async execute(code: string, options: JsonObject = {}): Promise<ExecutionResult> {
    return this.submit(code, options).done;
  }

  /** Sends a cell; other requests may follow before it is done. */
  submit(code: string, options: JsonObject = {}): { id: string; done: Promise<ExecutionResult> } {
    const content = {
      code,
      silent: false,
      store_history: true,
      allow_stdin: false,
      stop_on_error: true,
      ...options,
    };
    const { id, reply, idle } = this.#send("shell", "execute_request", content);
    return { id, done: Promise.all([reply, idle]).then(([message]) => this.#resultOf(id, message)) };
  }

  /** Sends any request and waits for its reply. */
  async request(
    type: string,
    content: JsonObject = {},
    channel: "shell" | "control" = "shell",
  ): Promise<JsonObject> {
    return (await this.#send(channel, type, content).reply).content;
  }

  /** Sends raw frames, well-formed or not. */
  async sendFrames(
    frames: (string | Uint8Array)[],
    channel: "shell" | "control" | "stdin" = "shell",
  ): Promise<void> {
    await this.#channels[channel].send(frames);
  }

  /** Presses the stop button. */
  async interrupt(): Promise<void> {
    await this.request("interrupt_request", {}, "control");
  }

  /** Ends the kernel as a front end does; resolves to its exit code, null when it had to be killed. */
  async shutdown(): Promise<number | null> {
    await this.request("shutdown_request", { restart: false }, "control");
    const code = await this.#exited;
    this.#close();
    return code;
  }

  /** Ends the kernel at once. */
  kill(): void {
    this.process.kill("SIGKILL");
    this.#close();
  }

  #send(
    channel: "shell" | "control",
    type: string,
    content: JsonObject,
  ): { id: string; reply: Promise<Message>; idle: Promise<void> } {
    const header = this.wire.header(type);
    const id = header.msg_id;
    const reply = new Promise<Message>((resolve) => this.#replies.set(id, resolve));
    const idle = new Promise<void>((resolve) => this.#idle.set(id, resolve));
    void this.#channels[channel].send(this.wire.encode({ type, content }, header));
    return { id, reply, idle };
  }

  #resultOf(id: string, reply: Message): ExecutionResult {
    const outputs = this.published.filter(({ parent }) => parent.msg_id === id);
    const textOf = (name: string): string =>
      outputs
        .filter(({ header, content }) => header.msg_type === "stream" && content["name"] === name)
        .map(({ content }) => content["text"])
        .join("");
    return { reply: reply.content, outputs, stdout: textOf("stdout"), stderr: textOf("stderr") };
  }

  #receivePublished(message: Message): void {
    this.published.push(message);
    this.onPublished(message);
    const { header, content, parent } = message;
    if (header.msg_type !== "status" || content["execution_state"] !== "idle" || parent.msg_id === undefined)
      return;
    this.#idle.get(parent.msg_id)?.();
    this.#idle.delete(parent.msg_id);
  }

  #receive(message: Message): void {
    if (message.header.msg_type === "input_request") {
      const content = { value: this.onInput(String(message.content["prompt"])) };
      void this.#channels.stdin.send(
        this.wire.encode({ type: "input_reply", content, parent: message.header }),
      );
      return;
    }
    const id = message.parent.msg_id ?? "";
    this.#replies.get(id)?.(message);
    this.#replies.delete(id);
  }

  async #listen(socket: zmq.Subscriber | zmq.Dealer, receive: (message: Message) => void): Promise<void> {
    try {
      for await (const frames of socket) receive(this.wire.decode(frames));
    } catch (fault) {
      if (!socket.closed) throw fault;
    }
  }

  #close(): void {
    for (const socket of [this.#iopub, ...Object.values(this.#channels)]) socket.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Ports that were free a moment ago, and a new key. */
async function freeConnection(): Promise<Connection> {
  const channels: readonly Channel[] = ["shell", "iopub", "stdin", "control", "heartbeat"];
  const ports = await Promise.all(channels.map(() => freePort()));
  return {
    transport: "tcp",
    ip: "127.0.0.1",
    key: randomUUID(),
    hash: "sha256",
    ports: Object.fromEntries(channels.map((channel, i) => [channel, ports[i]])) as Record<Channel, number>,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
