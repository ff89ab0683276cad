/**
 * A resolve hook of Node: "katlab", its sub-paths, and the tf.layers that belongs to it, are looked up from this file's
 * folder.
 */
/** @type {import("node:module").ResolveHook} */
export function resolve(specifier, context, nextResolve) {
  const isOurs =
    specifier === "katlab" || specifier.startsWith("katlab/") || specifier === "@tensorflow/tfjs-layers";
  return nextResolve(specifier, isOurs ? { ...context, parentURL: import.meta.url } : context);
}
