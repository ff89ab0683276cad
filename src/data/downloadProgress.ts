import { basename } from "node:path";
import type { DownloadProgress } from "./download.js";

/**
 * Shows downloads: on a terminal a line that is rewritten, elsewhere one line per quarter of a file.
 *
 * @param name the set, which starts each line
 * @param stream where to write (default stderr, so that a program's output stays clean)
 */
export function downloadProgress(
  name: string,
  stream: Pick<NodeJS.WriteStream, "write" | "isTTY"> = process.stderr,
): (progress: DownloadProgress) => void {
  const shown = new Map<string, number>();
  return ({ path, receivedBytes, totalBytes }) => {
    const steps = stream.isTTY ? 100 : 4;
    const share = totalBytes === undefined ? 0 : receivedBytes / totalBytes;
    const step = Math.floor(share * steps);
    if (shown.get(path) === step) return;
    shown.set(path, step);
    const of = totalBytes === undefined ? "" : ` of ${megabytes(totalBytes)}`;
    const line = `${name}: ${basename(path)} ${megabytes(receivedBytes)}${of} MB`;
    if (!stream.isTTY) stream.write(`${line}\n`);
    else stream.write(share === 1 ? `\r${line}\n` : `\r${line}`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
