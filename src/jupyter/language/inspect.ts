import ts from "typescript";
import type { MimeBundle, Position } from "../engine.js";
import type { CellModules } from "./cellModules.js";

/**
 * Signature and documentation of what stands at a position, or just before it; else of the call whose arguments the
 * position is in. Null when there is neither.
 */
export function inspect(modules: CellModules, { code, position }: Position): MimeBundle | null {
  const { file, offset } = modules.place(code, "all");
  const at = (where: number): ts.QuickInfo | undefined => {
    const info = modules.service.getQuickInfoAtPosition(file, offset + where);
    // An unknown name has the type any, and is nothing in particular.
    return info?.kind === ts.ScriptElementKind.unknown ? undefined : info;
  };
  const isBehindWord = /[\p{ID_Continue}$]$/u.test(code.slice(0, position));
  const info = at(position) ?? (isBehindWord ? at(position - 1) : undefined);
  if (info !== undefined) return bundle(signatureOf(info), info.documentation, info.tags);
  const help = modules.service.getSignatureHelpItems(file, offset + position, undefined);
  if (help === undefined) return null;
  const item = help.items[help.selectedItemIndex];
  return bundle(callSignature(item, help), item.documentation, item.tags);
}

function signatureOf({ displayParts }: ts.QuickInfo): string {
  return ts
    .displayPartsToString(displayParts)
    .replace(/^\(alias\) /, "")
    .replace(/\n(?:import|export) \S+$/, "");
}

/** The signature of a call; its last line names the argument that is being written. */
function callSignature(item: ts.SignatureHelpItem, { argumentIndex, items }: ts.SignatureHelpItems): string {
  const separator = ts.displayPartsToString(item.separatorDisplayParts);
  const parameters = item.parameters.map(({ displayParts }) => ts.displayPartsToString(displayParts));
  const prefix = ts.displayPartsToString(item.prefixDisplayParts);
  const suffix = ts.displayPartsToString(item.suffixDisplayParts);
  const current = parameters.at(Math.min(argumentIndex, parameters.length - 1));
  return [
    `${prefix}${parameters.join(separator)}${suffix}`,
    ...(items.length > 1 ? [`// one of ${items.length} ways to call it`] : []),
    ...(current === undefined ? [] : [`// here: ${current}`]),
  ].join("\n");
}

function bundle(
  signature: string,
  documentation: ts.SymbolDisplayPart[] | undefined,
  tags: readonly ts.JSDocTagInfo[] = [],
): MimeBundle {
  const text = ts.displayPartsToString(documentation);
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
