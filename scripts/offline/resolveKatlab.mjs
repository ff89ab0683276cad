/** A resolve hook of Node: "katlab" and its sub-paths are looked up from this file's folder. */
/** @type {import("node:module").ResolveHook} */
export function resolve(specifier, context, nextResolve) {
  const isOurs = specifier === "katlab" || specifier.startsWith("katlab/");
  return nextResolve(specifier, isOurs ? { ...context, parentURL: import.meta.url } : context);
}
