import type ts from "typescript";

/**
 * A document registry that never lets go of some files.
 *
 * A language service forgets a file as soon as the current program does not need it. In a notebook that is the
 * next cell without the import, and parsing a large library again would cost each return to it a second.
 */
export function retainingRegistry(
  registry: ts.DocumentRegistry,
  isRetained: (file: string) => boolean,
): ts.DocumentRegistry {
  const retained = new WeakSet<ts.SourceFile>();
  return {
    ...registry,
    acquireDocumentWithKey(file, ...rest) {
      const source = registry.acquireDocumentWithKey(file, ...rest);
      if (isRetained(file) && !retained.has(source)) {
        retained.add(source);
        // One reference that nobody releases.
        registry.acquireDocumentWithKey(file, ...rest);
      }
      return source;
    },
  };
}
