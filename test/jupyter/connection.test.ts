import { describe, expect, test } from "vitest";
import { KatlabError } from "../../src/errors.js";
import {
  addressOf,
  type Connection,
  formatConnection,
  parseConnection,
  readConnectionFile,
} from "../../src/jupyter/connection.js";

const connection: Connection = {
  transport: "tcp",
  ip: "127.0.0.1",
  ports: { shell: 1001, iopub: 1002, stdin: 1003, control: 1004, heartbeat: 1005 },
  key: "abc",
  hash: "sha256",
};

const file = JSON.parse(formatConnection(connection)) as Record<string, unknown>;

describe("connection file", () => {
  test("is read as Jupyter writes it", () => {
    expect(parseConnection(JSON.stringify(file), "file")).toEqual(connection);
    expect(file).toMatchObject({ shell_port: 1001, hb_port: 1005, signature_scheme: "hmac-sha256" });
  });

  test("may leave out what has a usual value", () => {
    const { transport, ip, key, signature_scheme, ...ports } = file;
    expect([transport, ip, key, signature_scheme]).not.toContain(undefined);
    expect(parseConnection(JSON.stringify(ports), "file")).toEqual({ ...connection, key: "" });
  });

  test.each([
    ["a port that is none", { shell_port: 0 }, /shell_port must be a port number; got 0/],
    ["a missing port", { hb_port: undefined }, /hb_port must be a port number; got nothing/],
    ["an unknown transport", { transport: "pigeon" }, /transport must be "tcp" or "ipc"/],
    ["an unknown scheme", { signature_scheme: "hmac-rot13" }, /signature_scheme/],
    ["a key that is no text", { key: 5 }, /key must be a string/],
  ])("is refused with %s", (_name, change, message) => {
    const text = JSON.stringify({ ...file, ...change });
    expect(() => parseConnection(text, "file")).toThrow(message);
    expect(() => parseConnection(text, "file")).toThrow(KatlabError);
  });

  test.each(["", "5", "no JSON"])("is refused when it holds %j", (text) => {
    expect(() => parseConnection(text, "file")).toThrow(/^file: must hold a JSON object/);
  });

  test("is refused when it is not there", () => {
    expect(() => readConnectionFile("/no/such/file.json")).toThrow(/must be a readable connection file/);
  });
});

test("addresses are ZeroMQ's", () => {
  expect(addressOf(connection, "shell")).toBe("tcp://127.0.0.1:1001");
  expect(addressOf({ ...connection, transport: "ipc", ip: "/tmp/k" }, "iopub")).toBe("ipc:///tmp/k-1002");
});
