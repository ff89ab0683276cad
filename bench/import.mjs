// How long `import "katlab"` takes in a fresh Node, beside @tensorflow/tfjs-core alone. Goal: at most 0.25 s.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runs = 15;

/** Seconds of one import in a process of its own. */
function seconds(name) {
  const program = `const start = performance.now(); await import(${JSON.stringify(name)}); console.log((performance.now() - start) / 1000);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

const names = ["@tensorflow/tfjs-core", "katlab"];
const times = new Map(names.map((name) => [name, []]));
// In turns, so that a slow moment of the machine meets both.
for (let run = 0; run < runs; run++) for (const name of names) times.get(name).push(seconds(name));
const medians = names.map((name) => times.get(name).sort((a, b) => a - b)[Math.floor(runs / 2)]);
for (const [index, name] of names.entries()) {
  console.log(`import "${name}": ${medians[index].toFixed(3)} s (least ${times.get(name)[0].toFixed(3)} s)`);
}
console.log(
  `ratio ${(medians[1] / medians[0]).toFixed(2)}, medians of ${runs}, Node ${process.versions.node}`,
);
