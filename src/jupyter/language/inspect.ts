import ts from "typescript";
import type { MimeBundle, Position } from "../engine.js";
import type { CellModules } from "./cellModules.js";

/** Signature and documentation of what stands at a position, or just before it; null when there is nothing. */
export function inspect(modules: CellModules, { code, position }: Position): MimeBundle | null {
  const { file, offset } = modules.place(code, "all");
  const at = (where: number): ts.QuickInfo | undefined =>
    modules.service.getQuickInfoAtPosition(file, offset + Math.max(0, where));
  const info = at(position) ?? at(position - 1);
  if (info === undefined) return null;
  const signature = ts
    .displayPartsToString(info.displayParts)
    .replace(/^\(alias\) /, "")
    .replace(/\n(?:import|export) \S+$/, "");
  const text = ts.displayPartsToString(info.documentation);
  const tags = info.tags ?? [];
  return {
    "text/plain": joined("\n\n", signature, text, tags.map(plainTag).join("\n")),
    "text/markdown": joined(
      "\n\n",
      `\`\`\`typescript\n${signature}\n\`\`\``,
      text,
      tags.map(markdownTag).join("\n\n"),
    ),
  };
}

function plainTag({ name, text }: ts.JSDocTagInfo): string {
  return joined(" ", `@${name}`, ts.displayPartsToString(text));
}

/** Examples are code; parameters are shown with their names set off. */
function markdownTag({ name, text }: ts.JSDocTagInfo): string {
  const body = ts.displayPartsToString(text);
  if (name === "example" && !body.includes("```")) return `*@example*\n\n\`\`\`typescript\n${body}\n\`\`\``;
  const subject = text?.find(({ kind }) => kind === "parameterName" || kind === "typeParameterName")?.text;
  if (subject === undefined) return joined(" ", `*@${name}*`, body);
  return joined(" ", `*@${name}*`, `\`${subject}\``, body.slice(subject.length).trim());
}

function joined(separator: string, ...parts: string[]): string {
  return parts.filter((part) => part !== "").join(separator);
}
