import { getHashes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mustBe } from "../errors.js";

/** The sockets of a kernel, by their names in the Jupyter messaging protocol. */
export type Channel = "shell" | "iopub" | "stdin" | "control" | "heartbeat";

/** Where a kernel listens and how its messages are signed: the connection file, checked. */
export interface Connection {
  transport: "tcp" | "ipc";
  /** Host address for tcp, file name stem for ipc. */
  ip: string;
  ports: Record<Channel, number>;
  /** Shared secret; empty when messages are not signed. */
  key: string;
  /** Hash of the signature, e.g. `sha256`. */
  hash: string;
}

const portFields: Record<Channel, string> = {
  shell: "shell_port",
  iopub: "iopub_port",
  stdin: "stdin_port",
  control: "control_port",
  heartbeat: "hb_port",
};

/**
 * Reads the file by which Jupyter tells a kernel its addresses.
 *
 * @throws KatlabError when the file is missing, is not JSON, or lacks a field
 */
export function readConnectionFile(path: string): Connection {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw mustBe({
      subject: path,
      must: "must be a readable connection file",
      got: cause instanceof Error ? cause.message : String(cause),
      remedy: "Let Jupyter start the kernel: it writes this file.",
    });
  }
  return parseConnection(text, path);
}

/** The content of a connection file; `subject` names the file in errors. */
export function parseConnection(text: string, subject: string): Connection {
  const fields = parseObject(text, subject);
  const port = (channel: Channel): number =>
    field(fields, portFields[channel], subject, "a port number", (value) => {
      const isPort = typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65536;
      return isPort ? value : undefined;
    });
  const string = (name: string, fallback?: string): string =>
    field(fields, name, subject, "a string", (value) =>
      typeof value === "string" ? value : value === undefined ? fallback : undefined,
    );
  return {
    transport: field(fields, "transport", subject, '"tcp" or "ipc"', (value) =>
      value === undefined ? "tcp" : value === "tcp" || value === "ipc" ? value : undefined,
    ),
    ip: string("ip", "127.0.0.1"),
    ports: {
      shell: port("shell"),
      iopub: port("iopub"),
      stdin: port("stdin"),
      control: port("control"),
      heartbeat: port("heartbeat"),
    },
    key: string("key", ""),
    hash: hashOf(string("signature_scheme", "hmac-sha256"), subject),
  };
}

/** The same as a connection file's text, for whoever starts a kernel. */
export function formatConnection(connection: Connection): string {
  const { transport, ip, ports, key, hash } = connection;
  const portEntries = Object.entries(portFields).map(([channel, name]) => [name, ports[channel as Channel]]);
  return JSON.stringify({
    transport,
    ip,
    key,
    signature_scheme: `hmac-${hash}`,
    ...(Object.fromEntries(portEntries) as Record<string, number>),
  });
}

/** The address of a channel in ZeroMQ's notation. */
export function addressOf({ transport, ip, ports }: Connection, channel: Channel): string {
  return `${transport}://${ip}${transport === "tcp" ? ":" : "-"}${ports[channel]}`;
}

function parseObject(text: string, subject: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  throw mustBe({
    subject,
    must: "must hold a JSON object",
    got: JSON.stringify(text.slice(0, 40)),
    remedy: "Let Jupyter start the kernel: it writes this file.",
  });
}

function field<T>(
  fields: Record<string, unknown>,
  name: string,
  subject: string,
  kind: string,
  accept: (value: unknown) => T | undefined,
): T {
  const value = accept(fields[name]);
  if (value !== undefined) return value;
  throw mustBe({
    subject,
    must: `${name} must be ${kind}`,
    got: name in fields ? JSON.stringify(fields[name]) : "nothing",
    remedy: "Let Jupyter start the kernel: it writes this file.",
  });
}

function hashOf(scheme: string, subject: string): string {
  const hash = /^hmac-(.+)$/.exec(scheme)?.[1];
  if (hash !== undefined && getHashes().includes(hash)) return hash;
  throw mustBe({
    subject,
    must: "signature_scheme must be hmac- and a hash that Node knows",
    got: JSON.stringify(scheme),
    remedy: "Use hmac-sha256.",
  });
}
