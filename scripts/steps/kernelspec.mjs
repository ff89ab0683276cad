import { existsSync } from "node:fs";
import { join } from "node:path";
import { fault } from "../terminal/fault.mjs";

/** The notebook kernel's description, which is committed, and the program that it starts, which is compiled. */
const parts = [
  join("share", "jupyter", "kernels", "katlab", "kernel.json"),
  join("share", "jupyter", "kernels", "katlab", "kernel.mjs"),
  join("dist", "jupyter", "kernel.js"),
];

/**
 * @param {string} root
 * @returns {string} what was found
 * @throws {Fault} when a part is missing: Jupyter would offer a kernel that cannot start
 */
export function checkKernelspec(root) {
  const missing = parts.filter((part) => !existsSync(join(root, part)));
  if (missing.length === 0) return "TypeScript (katlab)";
  throw fault({
    subject: "notebook kernel",
    must: `must consist of ${parts.join(", ")}`,
    got: `no ${missing.join(", no ")}`,
    remedy: "Restore these files from git, and run npm run build again.",
  });
}
