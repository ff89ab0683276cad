import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";
import { stages } from "./stages.mjs";
import { readCommandLine } from "./terminal/commandLine.mjs";
import { formatCounts, sumCounts } from "./terminal/counts.mjs";
import { runScript } from "./terminal/runScript.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

await runScript(async (args) => {
  const { flags } = readCommandLine(
    {
      command: "npm test --",
      purpose: "Sets everything up and runs every test.",
      flags: {
        fast: { type: "boolean", help: "only what takes less than five minutes" },
        only: {
          type: "string",
          value: "<stage>",
          choices: stages.map(({ name }) => name),
          help: `one stage: ${stages.map(({ name }) => name).join(", ")}`,
        },
        cuda: { type: "boolean", help: "install the CUDA build of torch even without an NVIDIA driver" },
      },
    },
    args,
  );
  const { notes } = await setUp({
    root,
    cuda: flags.cuda,
    requirements: ["requirements.txt", "requirements-test.txt"],
  });
  for (const note of notes) console.log(`! ${note}`);
  const chosen = stages.filter(
    ({ name, fast }) => (flags.only === undefined || name === flags.only) && (fast || !flags.fast),
  );
  const results = [];
  for (const { name, what, required = false, run } of chosen) {
    console.log(`\n${name}: ${what}`);
    const start = performance.now();
    const counts = await run(root);
    // What is left out on somebody's machine must not be left out where changes are accepted.
    if (process.env.CI && required && (counts.skipped > 0 || counts.passed === 0)) counts.failed++;
    results.push({ name, counts, seconds: (performance.now() - start) / 1000 });
    console.log(`${name}: ${formatCounts(counts)}`);
  }
  console.log();
  for (const { name, counts, seconds } of results) {
    console.log(`${name.padEnd(14)} ${seconds.toFixed(0).padStart(4)} s  ${formatCounts(counts)}`);
  }
  const sum = sumCounts(results.map(({ counts }) => counts));
  console.log(`\n${formatCounts(sum)}`);
  return sum.failed === 0 ? 0 : 1;
});
