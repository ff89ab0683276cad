import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { read, repositoryFiles, root } from "./repository.js";

const files = repositoryFiles();

/** Markdown of a page: a file, or the text cells of a notebook. */
function markdown(file: string): string {
  if (!file.endsWith(".ipynb")) return read(file);
  const { cells } = JSON.parse(read(file)) as { cells: { cell_type: string; source: string | string[] }[] };
  return cells
    .filter(({ cell_type }) => cell_type === "markdown")
    .map(({ source }) => [source].flat().join(""))
    .join("\n\n");
}

/** The name by which a heading can be linked to. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading));
}

const withoutCode = (text: string): string => text.replaceAll(/^```[^]*?^```/gm, "");

const pages = files.filter((file) => /\.(md|ipynb)$/.test(file));

describe.each(pages)("%s", (page) => {
  const text = markdown(page);

  test("links lead somewhere", () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
    const dead = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, ...fragments] = link.split("#");
        const target = path === "" ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(root, target))) return true;
        return fragments.some((fragment) => !anchors(markdown(target)).includes(fragment));
      });
    expect(dead).toEqual([]);
  });

  test("paths in it exist", () => {
    const named = [
      ...text.matchAll(/`((?:src|test|scripts|native|docs|bench|notebooks|share)\/[\w./-]*)`/g),
    ].map(([, path]) => path);
    const made = ["native/build", "docs/api"];
    expect(
      named.filter((path) => !existsSync(join(root, path)) && !made.some((it) => path.startsWith(it))),
    ).toEqual([]);
  });

  test("npm commands in it exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  });
});
