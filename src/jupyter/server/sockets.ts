import * as zmq from "zeromq";
import { addressOf, type Channel, type Connection } from "../connection.js";
import { logToTerminal } from "../terminal.js";
import type { Message, Outgoing, Wire } from "../wire.js";

/** Channels on which a kernel answers requests. */
export type RequestChannel = "shell" | "control" | "stdin";

/**
 * Neither drop nor refuse a message: without a limit ZeroMQ would drop what a slow front end has not read, and
 * with its default time-out zeromq.js refuses sends after 512 of them.
 */
const unlimited = { sendTimeout: 0, sendHighWaterMark: 0 };

/** Time a closed socket may take to deliver what was sent last. */
const lingerMs = 500;

/** The five sockets of a kernel. */
export class Sockets {
  readonly #connection: Connection;
  readonly #wire: Wire;
  readonly #iopub = new zmq.Publisher({ ...unlimited, linger: lingerMs });
  readonly #heartbeat = new zmq.Reply({ linger: 0 });
  readonly #routers: Record<RequestChannel, zmq.Router> = {
    shell: new zmq.Router({ ...unlimited, linger: lingerMs }),
    control: new zmq.Router({ ...unlimited, linger: lingerMs }),
    stdin: new zmq.Router({ ...unlimited, linger: lingerMs }),
  };
  #isClosed = false;

  constructor(connection: Connection, wire: Wire) {
    this.#connection = connection;
    this.#wire = wire;
  }

  /** Opens the channel on which everything is published, so that front ends can subscribe before they ask. */
  async openOutput(): Promise<void> {
    await this.#iopub.bind(addressOf(this.#connection, "iopub"));
  }

  /** Opens the heartbeat: it echoes whatever comes. */
  async openHeartbeat(): Promise<void> {
    await this.#heartbeat.bind(addressOf(this.#connection, "heartbeat"));
    this.#listen("heartbeat", this.#heartbeat, (frames) => void this.#heartbeat.send(frames));
  }

  /** Opens a channel of requests and hands over each message that is well-formed and signed. */
  async open(channel: RequestChannel, receive: (message: Message) => Promise<void>): Promise<void> {
    const socket = this.#routers[channel];
    await socket.bind(addressOf(this.#connection, channel));
    this.#listen(channel, socket, (frames) => receive(this.#wire.decode(frames)));
  }

  /** Sends a message to all front ends. */
  publish(message: Outgoing): void {
    this.#send(this.#iopub, { ...message, identities: [message.type] });
  }

  /** Sends a message back to whoever sent `request`. */
  answer(channel: RequestChannel, request: Message, message: Outgoing): void {
    this.#send(this.#routers[channel], { ...message, identities: request.identities });
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of [this.#iopub, this.#heartbeat, ...Object.values(this.#routers)]) socket.close();
  }

  #send(socket: zmq.Publisher | zmq.Router, message: Outgoing): void {
    socket.send(this.#wire.encode(message) as zmq.MessageLike[]).catch((fault: unknown) => {
      if (!this.#isClosed) logToTerminal(`kernel: ${message.type} was not sent: ${String(fault)}`);
    });
  }

  #listen(
    channel: Channel,
    socket: zmq.Router | zmq.Reply,
    receive: (frames: Buffer[]) => void | Promise<void>,
  ): void {
    let ignored = 0;
    // Whoever floods the kernel shall not flood its log: the 1st, 2nd, 4th, 8th, … is told.
    const ignore = (fault: unknown): void => {
      if (Math.log2(++ignored) % 1 !== 0) return;
      const reason = fault instanceof Error ? fault.message : String(fault);
      logToTerminal(`kernel: ${channel}: ignored message ${ignored}: ${reason}`);
    };
    const loop = async (): Promise<void> => {
      for await (const frames of socket) {
        try {
          receive(frames)?.catch(ignore);
        } catch (fault) {
          ignore(fault);
        }
      }
    };
    loop().catch((fault: unknown) => {
      if (!this.#isClosed) logToTerminal(`kernel: ${channel} closed: ${String(fault)}`);
    });
  }
}
