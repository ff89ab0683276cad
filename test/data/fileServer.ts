import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the server treats one request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A loopback server that answers the first request by the first behaviour, and so on; the last one stays. */
export interface FileServer {
  readonly url: string;
  /** The `range` header of every request so far, `undefined` where there was none. */
  readonly ranges: (string | undefined)[];
  close(): Promise<void>;
}

export async function fileServer(behaviours: readonly Behaviour[]): Promise<FileServer> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const behave = behaviours[Math.min(ranges.length, behaviours.length - 1)];
    ranges.push(request.headers.range);
    behave(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ranges,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** Serves `content` and honours ranges, as a good server does. */
export function serve(content: Uint8Array): Behaviour {
  return (request, response) => {
    const start = requestedStart(request);
    if (start === undefined) {
      response.writeHead(200, { "content-length": content.length }).end(content);
    } else if (start >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    } else {
      response
        .writeHead(206, {
          "content-length": content.length - start,
          "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
        })
        .end(content.subarray(start));
    }
  };
}

/** Serves `content` from the start whatever range is asked for. */
export function ignoreRange(content: Uint8Array): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { "content-length": content.length }).end(content);
  };
}

/** Promises all of `content`, sends `count` bytes of what was asked for and breaks the connection. */
export function breakAfter(content: Uint8Array, count: number): Behaviour {
  return (request, response) => {
    const start = requestedStart(request) ?? 0;
    response.writeHead(start === 0 ? 200 : 206, {
      "content-length": content.length - start,
      ...(start > 0 && { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    response.write(content.subarray(start, start + count), () => setTimeout(() => response.destroy(), 20));
  };
}

/** Closes after `count` bytes without ever having said how many there are. */
export function endEarly(content: Uint8Array, count: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { connection: "close" }).end(content.subarray(0, count));
  };
}

export function answer(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(status, headers).end("no");
  };
}

/** Sends `count` bytes and then nothing, for ever. */
export function hangAfter(content: Uint8Array, count: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, count));
  };
}

function requestedStart(request: IncomingMessage): number | undefined {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  return match === null ? undefined : Number(match[1]);
}
