/** Runs `work` for 0, 1, … `count − 1`, some at a time. After a fault nothing new begins, and nothing is still running. */
export async function someAtATime(
  count: number,
  atATime: number,
  work: (i: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      while (next < count) {
        signal?.throwIfAborted();
        await work(next++);
      }
    } catch (fault) {
      next = count;
      throw fault;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atATime, count) }, lane));
  const failed = lanes.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
