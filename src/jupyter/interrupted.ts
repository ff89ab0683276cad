import { red } from "./excerpt.js";
import type { ErrorContent } from "./threads.js";

const name = "Interrupted";
const message = "stopped by the user";

/** What the code of a cell throws after the stop button. */
export class Interrupted extends Error {
  override readonly name: string = name;

  constructor() {
    super(message);
  }
}

/** What the cell's reader sees. There is no call stack: where the code happened to be says nothing about a fault. */
export const interruptedContent: ErrorContent = {
  ename: name,
  evalue: message,
  traceback: [red(`${name}: ${message}`)],
};
