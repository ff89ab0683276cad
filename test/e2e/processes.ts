import { readdirSync, readFileSync } from "node:fs";

/** Process ids of a process and all that it and its children started, the dead left out. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = (root: number): number[] => [root, ...(children.get(root) ?? []).flatMap(tree)];
  return tree(pid);
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

/** Parent of a process; nothing when it is gone or only waits to be noticed. */
function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold spaces and parentheses itself.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").slice(-1)[0].split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}
