import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";

/** A file or something else in an archive. */
export interface Member {
  name: string;
  content?: Uint8Array | string;
  type?: "file" | "directory" | "symlink" | "link" | "character-device" | "fifo";
  linkname?: string;
}

/** The bytes of a tar file. */
export async function tarFile(members: readonly Member[]): Promise<Uint8Array> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { content = "", ...header } of members) archive.entry(header, Buffer.from(content));
  archive.finalize();
  return bytes;
}
