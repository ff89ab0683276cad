import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KatlabError, unavailable } from "../errors.js";

/** How far one file has come. */
export interface DownloadProgress {
  /** Where the file will lie. */
  readonly path: string;
  /** Bytes on this disk, those of earlier calls included. */
  readonly receivedBytes: number;
  /** Unknown when the server does not say. */
  readonly totalBytes: number | undefined;
}

/** What to fetch, from where, and what makes it right. */
export interface DownloadOptions {
  /** Where the finished file will lie; nothing else is ever there. */
  readonly path: string;
  /** Places that serve it, tried in turn. */
  readonly urls: readonly string[];
  /** Turns the received bytes into what the caller wants, and throws when they are not right. */
  readonly check: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** Called with every chunk that has been written. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops; what has come stays for the next call. */
  readonly signal?: AbortSignal;
  /** Tries in all (default 3 for each place). */
  readonly attempts?: number;
  /** A connection silent for so long is given up (default 30 s). */
  readonly stallMs?: number;
  /** Wait before the second try; doubles with each further one (default 500 ms). */
  readonly backoffMs?: number;
}

/**
 * Fetches a file so that `path` either holds checked content or does not exist.
 *
 * Bytes are collected in `<path>.part`, which a later call resumes by an HTTP range request. When they are
 * complete and pass `check`, they are flushed and renamed to `path`. Bytes that fail the check are thrown
 * away; if they came by resuming, the place gets another chance from the start.
 * Several processes may fetch the same file at once: one owns the part file, the others use private ones.
 *
 * @returns what `check` returned
 * @throws KatlabError `unavailable` when no place delivers or the disk does not take it; `invalid` (from
 * `check`) when all that came is wrong; the signal's reason when aborted
 */
export async function download(options: DownloadOptions): Promise<Uint8Array> {
  const { path, urls, signal, attempts = 3 * urls.length, backoffMs = 500 } = options;
  const faults: unknown[] = [];
  const places = [...urls];
  const part = await claimPart(path).catch((fault: unknown) => {
    throw notWritable(path, fault);
  });
  try {
    while (faults.length < attempts && places.length > 0) {
      if (faults.length > 0) {
        await sleep(backoffMs * 2 ** (faults.length - 1), undefined, signal && { signal });
      }
      const place = faults.length % places.length;
      try {
        return await fetchOnce(places[place], part.path, options);
      } catch (fault) {
        signal?.throwIfAborted();
        if (isDiskFault(fault)) throw notWritable(path, fault);
        if (fault instanceof Refusal) places.splice(place, 1);
        faults.push(fault instanceof Refusal ? fault.cause : fault);
      }
    }
  } finally {
    await part.release();
  }
  const last = faults.at(-1);
  if (last instanceof KatlabError) throw last;
  throw unavailable(
    {
      subject: `download of ${path}`,
      must: `one of ${urls.join(", ")} must deliver it`,
      got: `${reason(last)} after ${faults.length} ${faults.length === 1 ? "try" : "tries"}`,
      remedy: "Check the network and call again to resume, or put the file into this place by hand.",
    },
    last,
  );
}

/** An answer that asking the same place again will not change. */
class Refusal extends Error {}

/** One request, one check. Leaves a part file that can be resumed, or none. */
async function fetchOnce(url: string, part: string, options: DownloadOptions): Promise<Uint8Array> {
  const resumedFrom = await sizeOrZero(part);
  await receive(url, part, resumedFrom, options);
  const checked = await options.check(await readFile(part)).catch(async (fault: unknown) => {
    await rm(part, { force: true });
    throw resumedFrom > 0 ? fault : new Refusal("wrong content", { cause: fault });
  });
  await rename(part, options.path);
  return checked;
}

/** Requests what is missing and appends it to the part file. */
async function receive(url: string, part: string, offset: number, options: DownloadOptions): Promise<void> {
  const { stallMs = 30_000, signal } = options;
  const stall = new AbortController();
  const clock = setTimeout(() => {
    stall.abort(new Error(`no data for ${stallMs / 1000} s`));
  }, stallMs);
  try {
    const response = await fetch(url, {
      // Identity: a body decoded on the way could not be resumed at a byte offset.
      headers: { "accept-encoding": "identity", ...(offset > 0 && { range: `bytes=${offset}-` }) },
      signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    });
    const range = contentRange(response);
    if (response.status === 416 && range.total === offset) return; // nothing was missing
    const resumes = response.status === 206 && range.start === offset;
    if (!resumes && response.status !== 200) {
      await response.body?.cancel();
      throw await unusable(response, part);
    }
    const start = resumes ? offset : 0;
    const totalBytes = range.total ?? bodyLength(response);
    let receivedBytes = start;
    const file = await open(part, resumes ? "a" : "w");
    try {
      for await (const chunk of response.body ?? []) {
        clock.refresh();
        const bytes = chunk as Uint8Array;
        await writeAll(file, bytes);
        receivedBytes += bytes.length;
        options.onProgress?.({ path: options.path, receivedBytes, totalBytes });
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (totalBytes !== undefined && receivedBytes !== totalBytes) {
      throw new Error(`${url} ended after ${receivedBytes} of ${totalBytes} bytes`);
    }
  } catch (fault) {
    throw stall.signal.aborted ? stall.signal.reason : fault;
  } finally {
    clearTimeout(clock);
  }
}

/** The fault of an answer without usable bytes; drops a part file that the place cannot continue. */
async function unusable(response: Response, part: string): Promise<Error> {
  const { status, statusText, url } = response;
  if (status === 206 || status === 416) await rm(part, { force: true });
  const fault = new Error(`${url} answered ${status} ${statusText}`.trim());
  const mayChange = status >= 500 || [206, 408, 416, 425, 429].includes(status);
  return mayChange ? fault : new Refusal(fault.message, { cause: fault });
}

/** From `bytes 5-9/10` start 5 and total 10, from an unsatisfied range only the total. */
function contentRange(response: Response): { start?: number; total?: number } {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  const number = (text: string | undefined): number | undefined =>
    text === undefined || text === "*" ? undefined : Number(text);
  return { start: number(match?.[1]), total: number(match?.[2]) };
}

function bodyLength(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  // With an encoding, the length is that of the encoded body, which is not what arrives here.
  return length === null || response.headers.has("content-encoding") ? undefined : Number(length);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}

/** The part file this call may write: the shared one unless another living process has it. */
async function claimPart(path: string): Promise<{ path: string; release: () => Promise<void> }> {
  await mkdir(dirname(path), { recursive: true });
  const shared = `${path}.part`;
  const lock = `${path}.lock`;
  if (await takeLock(lock)) return { path: shared, release: () => rm(lock, { force: true }) };
  const own = `${shared}.${randomUUID()}`;
  return { path: own, release: () => rm(own, { force: true }) };
}

async function takeLock(lock: string): Promise<boolean> {
  const self = { host: hostname(), pid: process.pid };
  for (let round = 0; round < 2; round++) {
    try {
      const file = await open(lock, "wx");
      await file.writeFile(JSON.stringify(self));
      await file.close();
      return true;
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw fault;
      if (!(await isStale(lock, self.host))) return false;
      await rm(lock, { force: true });
    }
  }
  return false;
}

/** Whether the owner is known to be gone; of another host's processes nothing is known. */
async function isStale(lock: string, host: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await readFile(lock, "utf8")) as { host: string; pid: number };
    if (owner.host !== host) return false;
    process.kill(owner.pid, 0);
    return false;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function sizeOrZero(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Faults of the file system carry their system call; those of the network hide it in a cause. */
function isDiskFault(fault: unknown): boolean {
  return fault instanceof Error && "syscall" in fault;
}

function notWritable(path: string, fault: unknown): KatlabError {
  return unavailable(
    {
      subject: `download of ${path}`,
      must: "its folder must be writable and have room",
      got: reason(fault),
      remedy: "Free some space, or name another folder in XDG_CACHE_HOME.",
    },
    fault,
  );
}

function reason(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  return fault.cause instanceof Error ? `${fault.message} (${fault.cause.message})` : fault.message;
}
