// The arrows between the rooms of src, as rules. docs/architecture.md tells why they point as they do.
const { rooms, notPassedOn, importedWhenUsed } = require("./test/architecture/arrows.json");

/** A room may import what is listed for it, and what those may import except what is not passed on. */
function reach(room) {
  const further = rooms[room].flatMap((next) => reach(next).filter((name) => !notPassedOn.includes(name)));
  return [...new Set([...rooms[room], ...further])];
}

/** A room is one file of src or one folder. */
const pathOf = (room) => `^src/${room}(\\.ts$|/)`;

module.exports = {
  forbidden: [
    ...Object.keys(rooms).map((room) => ({
      name: `arrows-of-${room}`,
      severity: "error",
      from: { path: pathOf(room) },
      to: { path: "^src/", pathNot: [room, ...reach(room)].map(pathOf) },
    })),
    {
      name: "no-circle",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "imported-when-used",
      comment: 'Large, native, or with a top-level await: import("…") inside the function that needs it.',
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: importedWhenUsed.map((name) => `node_modules/${name}/`),
        dependencyTypesNot: ["type-only"],
        dynamic: false,
      },
    },
    {
      name: "only-declared-packages",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/packBundle\\.ts$" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown", "undetermined"],
        // Installed for our tests, and by those who use the entry that imports it.
        dependencyTypesNot: ["npm-peer"],
      },
    },
    {
      name: "no-unresolved",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/torch/tfjsRegistrations\\.(js|d\\.ts)$" },
    enhancedResolveOptions: {
      conditionNames: ["import", "types", "node", "default"],
      exportsFields: ["exports"],
    },
  },
};
