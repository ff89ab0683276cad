import { createRequire } from "node:module";
import { protocolVersion, type JsonObject } from "../wire.js";

/** What the kernel says about itself; front ends choose highlighting and file names by it. */
export function kernelInfo(languageVersion: string): JsonObject {
  return {
    protocol_version: protocolVersion,
    implementation: "katlab",
    implementation_version: packageVersion(),
    language_info: {
      name: "typescript",
      version: languageVersion,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
    banner: `katlab ${packageVersion()}, TypeScript ${languageVersion}, Node ${process.version}`,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Node.js", url: "https://nodejs.org/api/" },
    ],
    debugger: false,
    supported_features: [],
  };
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };
  return version;
}
