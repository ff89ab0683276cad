import type { ModelConfig } from "./modelConfig.js";

/** The text of a model card, Markdown with the head that Hugging Face reads. */
export function modelCard(config: ModelConfig, parameters: number): string {
  const { model, options, data, run, licence, text, katlab } = config;
  const accuracy = run?.test?.accuracy;
  const settings = Object.entries(options).filter(([name]) => name !== "seed");
  const rows: [string, string][] = [
    ["model", `\`${model}\`, ${parameters.toLocaleString("en-US")} parameters`],
    ...(settings.length > 0
      ? [["options", `\`${JSON.stringify(Object.fromEntries(settings))}\``] as [string, string]]
      : []),
    ...(data ? [["classes", data.classes.join(", ")] as [string, string]] : []),
    ...(data
      ? [
          ["normalisation", `mean ${list(data.mean)}, deviation ${list(data.std)} of pixels in 0…1`] as [
            string,
            string,
          ],
        ]
      : []),
    ["format", "safetensors, names and layout of timm"],
    ["made with", `katlab ${katlab}`],
  ];
  return [
    `---\nlibrary_name: katlab\npipeline_tag: image-classification\n${licence === undefined ? "" : `license: ${licence.toLowerCase()}\n`}---`,
    `# ${model}${data ? ` on ${data.name}` : ""}`,
    text ?? `${family(model)} as an image classifier.`,
    ["| | |", "|---|---|", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n"),
    "## How it was trained",
    run === undefined
      ? "Its maker did not say."
      : `On ${run.data}, on ${run.engine}, in ${run.seconds.toFixed(0)} s${run.stopped ? "; the run was stopped before its end" : ""}. The recipe:\n\n\`\`\`json\n${JSON.stringify(run.recipe, undefined, 2)}\n\`\`\``,
    "## How well it does",
    accuracy === undefined
      ? "Not measured, or not said."
      : `${(100 * accuracy).toFixed(2)} % of the test images of ${run?.data} are classified rightly (loss ${run?.test?.loss.toFixed(4)}); one run, one seed.`,
    "## Limits",
    `It knows ${data ? "these classes" : "its classes"} only, and gives one of them for any image. Images must be normalised as above. Nothing is known of its behaviour on other data.`,
    "## How to load it",
    '```ts\nimport * as kl from "katlab";\n\nconst model = await kl.loadPretrained({ folder: "this folder" });\n```',
    'In Python, `safetensors.torch.load_file("model.safetensors")` gives the weights under timm\'s names' +
      (model.startsWith("kat") ? ", `mlp.act1` and `mlp.act2` as KAT's authors name them." : "."),
    licence === undefined ? "## Licence\n\nNot stated." : `## Licence\n\n${licence}.`,
  ]
    .join("\n\n")
    .concat("\n");
}

function family(model: string): string {
  return model.startsWith("kat") ? "A Kolmogorov–Arnold Transformer" : "A Vision Transformer";
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toFixed(4)).join(", ");
}
