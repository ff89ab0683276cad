import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  dependencies: Record<string, string>;
}

/** A project of somebody else's, with the package as npm would publish it. */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), "katlab-consumer-"));
  /** Paths in the package. */
  readonly published: readonly string[];

  /** Packs the package and unpacks it into the project's node_modules, beside exactly what it declares. */
  constructor() {
    const output = execFileSync("npm", ["pack", "--json", "--pack-destination", this.folder], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [{ filename, files }] = JSON.parse(output) as { filename: string; files: { path: string }[] }[];
    this.published = files.map(({ path }) => path);
    const modules = join(this.folder, "node_modules");
    mkdirSync(modules);
    execFileSync("tar", ["-xf", join(this.folder, filename), "-C", modules]);
    renameSync(join(modules, "package"), join(modules, "katlab"));
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    // Linked, not installed: tests do not use the network. What is not declared is not there.
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
  }

  /** Stores a file in the project. */
  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs Node in the project, without what points at this repository's torch. */
  node(...args: string[]): { code: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.folder,
      env: { ...process.env, KATLAB_ENGINE: "", NODE_OPTIONS: "" },
      encoding: "utf8",
    });
    return { code: status, stdout: stdout.trim(), stderr };
  }

  /** Removes the project. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
