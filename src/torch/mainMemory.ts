import { totalmem } from "node:os";

/** Bytes of main memory this process may use: the machine's, or what a container or batch system allows. */
export function mainMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}
