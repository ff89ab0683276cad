import type { CellContexts } from "./cellContexts.js";

type Timer = (callback: (...values: unknown[]) => void, ...rest: unknown[]) => unknown;

/** Makes timers carry along which run set them, so that late output reaches the cell it belongs to. */
export function installTimers(contexts: CellContexts): void {
  const timers = globalThis as unknown as Record<string, Timer>;
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
    const native = timers[name];
    const timer: Timer = (callback, ...rest) => {
      if (typeof callback !== "function") return native(callback, ...rest);
      const { run } = contexts;
      return native(
        function (this: unknown, ...values: unknown[]) {
          const before = contexts.run;
          contexts.run = run;
          try {
            Reflect.apply(callback, this, values);
          } finally {
            contexts.run = before;
          }
        },
        ...rest,
      );
    };
    // The name, and what `util.promisify` looks for.
    timers[name] = Object.defineProperties(timer, Object.getOwnPropertyDescriptors(native));
  }
}
