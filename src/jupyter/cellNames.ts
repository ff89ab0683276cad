/** Name of the object that running cells call; its functions are in `runner/cellRuntime.ts`. */
export const runtimeObject = "__cell";

/** The name V8 gives to the code of a run in call stacks. */
export function cellUrl(run: number): string {
  return `cell_${run}`;
}

/** Positions in call stacks that lie in cells: `cell_<run>:<line>:<column>`. */
export const cellPosition: RegExp = /\bcell_(\d+):(\d+):(\d+)/g;
