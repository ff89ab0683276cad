import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  allDataFolders,
  prefixDataFolder,
  projectDataFolder,
  userDataFolder,
} from "../../src/jupyter/dataFolders.js";

describe.skipIf(process.platform !== "linux")("the user's data folder", () => {
  test.each([
    [{ JUPYTER_DATA_DIR: "/data" }, "/data"],
    [{ XDG_DATA_HOME: "/xdg" }, "/xdg/jupyter"],
    [{}, path.join(homedir(), ".local", "share", "jupyter")],
  ])("for %j", (env, folder) => {
    expect(userDataFolder(env)).toBe(folder);
  });
});

describe("a project's data folder", () => {
  const project = mkdtempSync(path.join(tmpdir(), "katlab-"));
  const notebooks = path.join(project, "a", "b");
  mkdirSync(notebooks, { recursive: true });

  test("is in its root, which has a package.json", () => {
    writeFileSync(path.join(project, "package.json"), "{}");
    expect(projectDataFolder(notebooks)).toEqual({
      dataFolder: path.join(project, "share", "jupyter"),
      isFoundByItself: false,
    });
  });

  test("is in its Python environment, where there is one", () => {
    mkdirSync(path.join(project, ".venv"));
    writeFileSync(path.join(project, ".venv", "pyvenv.cfg"), "");
    expect(projectDataFolder(notebooks)).toEqual({
      dataFolder: path.join(project, ".venv", "share", "jupyter"),
      isFoundByItself: true,
    });
  });
});

test("all data folders are those of JUPYTER_PATH, the user, the project and the environments, once each", () => {
  const env = {
    JUPYTER_PATH: ["/a", "/b"].join(path.delimiter),
    JUPYTER_DATA_DIR: "/a",
    VIRTUAL_ENV: "/venv",
  };
  const folder = mkdtempSync(path.join(tmpdir(), "katlab-"));
  expect(allDataFolders(folder, env)).toEqual([
    "/a",
    "/b",
    prefixDataFolder(folder),
    "/venv/share/jupyter",
    "/usr/local/share/jupyter",
    "/usr/share/jupyter",
  ]);
});
