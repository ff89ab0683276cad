/**
 * A signal that fires when the caller's does, or when the stop button of the notebook is pressed. Reading the
 * notebook's signal also tells its kernel that this cell ends by itself when asked.
 */
export function stopSignal(signal?: AbortSignal): AbortSignal {
  const host = (globalThis as { [key: symbol]: unknown })[Symbol.for("jupyter.kernel")];
  const cell = typeof host === "object" && host !== null && "signal" in host ? host.signal : undefined;
  const signals = [signal, cell].filter((one): one is AbortSignal => one instanceof AbortSignal);
  return AbortSignal.any(signals);
}
