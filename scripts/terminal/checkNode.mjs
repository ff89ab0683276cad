// In old syntax and without imports: the versions of Node that it refuses must be able to read it.

/** Ends the program with a sentence when Node is too old. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `Node: must be 20.19 or newer; got ${version}. Install a newer Node and run the same command again.`,
  );
  process.exit(1);
}
