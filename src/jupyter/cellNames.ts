/** Name of the object that running cells call; its functions are in `runner/cellRuntime.ts`. */
export const runtimeObject = "__cell";

/**
 * Name of the shared array whose first element is 1 while loops of cells are to stop. A constant of the global
 * object, it is known to V8's optimised code: a look at it costs 0.3 ns, as a member of the object above 6 ns.
 */
export const stopFlagArray = "__stop";

/** The name V8 gives to the code of a run in call stacks. */
export function cellUrl(run: number): string {
  return `cell_${run}`;
}

/** Positions in call stacks that lie in cells: `cell_<run>:<line>:<column>`. */
export const cellPosition: RegExp = /\bcell_(\d+):(\d+):(\d+)/g;
