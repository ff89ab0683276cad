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

/** A program that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
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
    // What is not declared is not there.
    for (const name of Object.keys(dependencies)) this.install(name);
  }

  /** Puts a package into the project's node_modules, as `npm install` does: by a link, for tests do not use the network. */
  install(name: string): void {
    const place = join(this.folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", name), place);
  }

  /** Stores a file in the project. */
  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs Node in the project, without what points at this repository's torch. */
  node(...args: string[]): Ended {
    return this.nodeWith({}, ...args);
  }

  /** The same with more in its environment. */
  nodeWith(environment: NodeJS.ProcessEnv, ...args: string[]): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.folder,
      env: { ...process.env, KATLAB_ENGINE: "", NODE_OPTIONS: "", ...environment },
      encoding: "utf8",
    });
    return { code: status, stdout: stdout.trim(), stderr };
  }

  /** Removes the project. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
