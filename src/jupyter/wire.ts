import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { mustBe } from "../errors.js";

/** Version of the Jupyter messaging protocol that this kernel speaks. */
export const protocolVersion = "5.3";

/** Who sent what, and when. Field names are the protocol's. */
export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

/** A JSON object as it comes from outside: nothing about it is known yet. */
export type JsonObject = Record<string, unknown>;

/** A message of the Jupyter protocol, taken off the wire. */
export interface Message {
  /** Routing prefix of the sender; a reply is sent back with it. */
  identities: Uint8Array[];
  header: Header;
  /** Header of the message this one answers; empty when it answers none. */
  parent: Partial<Header>;
  metadata: JsonObject;
  content: JsonObject;
  /** Binary attachments. */
  buffers: Uint8Array[];
}

/** A message about to be sent. Its content may be JSON text already, so that large bundles are written once. */
export interface Outgoing {
  type: string;
  content: object | string;
  parent?: Partial<Header> | undefined;
  identities?: readonly (Uint8Array | string)[] | undefined;
  metadata?: object | undefined;
  buffers?: readonly Uint8Array[] | undefined;
}

const delimiter = Buffer.from("<IDS|MSG>");

/** Signatures that are remembered, so that nobody can send a message a second time. */
const maxSignatures = 2 ** 14;

/**
 * Messages to and from ZeroMQ frames:
 * `[identities…, "<IDS|MSG>", signature, header, parent, metadata, content, buffers…]`,
 * signed by an HMAC over the four JSON frames. Each message counts once: whoever repeats one has not written it.
 */
export class Wire {
  readonly session: string = randomUUID();
  readonly #key: string;
  readonly #hash: string;
  readonly #username: string;
  readonly #received = new Set<string>();

  constructor({ key, hash, username }: { key: string; hash: string; username: string }) {
    this.#key = key;
    this.#hash = hash;
    this.#username = username;
  }

  /** A new header of this session. */
  header(type: string): Header {
    return {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.session,
      username: this.#username,
      date: new Date().toISOString(),
      version: protocolVersion,
    };
  }

  encode(message: Outgoing, header: Header = this.header(message.type)): (Uint8Array | string)[] {
    const content = typeof message.content === "string" ? message.content : JSON.stringify(message.content);
    const frames = [
      JSON.stringify(header),
      JSON.stringify(message.parent ?? {}),
      JSON.stringify(message.metadata ?? {}),
      content,
    ];
    return [
      ...(message.identities ?? []),
      delimiter,
      this.#signature(frames),
      ...frames,
      ...(message.buffers ?? []),
    ];
  }

  /** @throws KatlabError when the frames are not a signed message of this protocol, or came before */
  decode(frames: readonly Uint8Array[]): Message {
    const at = frames.findIndex((frame) => delimiter.equals(frame));
    if (at < 0 || frames.length < at + 6) {
      throw malformed(
        "must be identities, a delimiter, a signature and four frames",
        `${frames.length} frames`,
      );
    }
    const signature = frames[at + 1];
    const signed = frames.slice(at + 2, at + 6);
    if (!this.#isSignedBy(signature, signed))
      throw malformed("must be signed with the kernel's key", "another signature");
    this.#requireNew(Buffer.from(signature).toString("latin1"));
    const [header, parent, metadata, content] = signed.map(parseObject);
    if (typeof header["msg_type"] !== "string" || typeof header["msg_id"] !== "string") {
      throw malformed("header must have msg_type and msg_id", JSON.stringify(header));
    }
    return {
      identities: frames.slice(0, at),
      header: header as unknown as Header,
      parent: parent,
      metadata,
      content,
      buffers: frames.slice(at + 6),
    };
  }

  #signature(frames: readonly (Uint8Array | string)[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac(this.#hash, this.#key);
    for (const frame of frames) hmac.update(frame);
    return hmac.digest("hex");
  }

  #requireNew(signature: string): void {
    if (this.#key === "") return;
    if (this.#received.has(signature)) throw malformed("must come once", "a signature that was used before");
    this.#received.add(signature);
    if (this.#received.size <= maxSignatures) return;
    for (const oldest of this.#received) {
      this.#received.delete(oldest);
      break;
    }
  }

  #isSignedBy(signature: Uint8Array, frames: readonly Uint8Array[]): boolean {
    const expected = Buffer.from(this.#signature(frames));
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
}

function parseObject(frame: Uint8Array): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(frame).toString("utf8"));
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as JsonObject;
  throw malformed("header, parent, metadata and content must be JSON objects", "something else");
}

function malformed(must: string, got: string): Error {
  return mustBe({ subject: "Jupyter message", must, got, remedy: "It is ignored." });
}
