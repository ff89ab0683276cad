import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executeNotebooks, kernels } from "./jupyter/executeNotebooks.mjs";
import { readCommandLine } from "./terminal/commandLine.mjs";
import { runScript } from "./terminal/runScript.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

await runScript(async (args) => {
  const { flags, files } = readCommandLine(
    {
      command: "npm run notebooks --",
      purpose: "Executes the notebooks and checks every cell. Needs npm start or npm test once before.",
      files: "notebooks/….ipynb",
      flags: {
        scale: {
          type: "string",
          value: "quick|full",
          choices: ["quick", "full"],
          default: "full",
          help: "quick checks that everything runs, full asserts the claims (default: full)",
        },
        kernel: {
          type: "string",
          value: kernels.join("|"),
          choices: kernels,
          default: "katlab",
          help: "our kernel, or tslab as it is published (default: katlab)",
        },
        write: { type: "boolean", help: "store the outputs in the files" },
      },
    },
    args,
  );
  const { failed } = await executeNotebooks({
    root,
    files: files.length > 0 ? files : allNotebooks(),
    scale: flags.scale,
    kernel: flags.kernel,
    write: flags.write,
  });
  return failed === 0 ? 0 : 1;
});

/** The numbered ones: the template is there to be copied, without outputs. */
function allNotebooks() {
  const names = readdirSync(join(root, "notebooks")).filter((name) => /^\d.*\.ipynb$/.test(name));
  return names.sort().map((name) => join("notebooks", name));
}
