import { type FileHandle, open } from "node:fs/promises";
import { unavailable } from "../errors.js";

/**
 * @param subject who asks, and the path
 * @throws KatlabError `unavailable` when there is no such file, or it may not be read
 */
export async function openToRead(subject: string, path: string): Promise<FileHandle> {
  return open(path).catch((cause: unknown) => {
    throw unavailable(
      {
        subject: `${subject} ${path}`,
        must: "must be a file that can be read",
        got: (cause as Error).message,
        remedy: "Check the path.",
      },
      cause,
    );
  });
}
