import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Below a prefix, e.g. a Python environment. */
export function prefixDataFolder(prefix: string): string {
  return path.join(path.resolve(prefix), "share", "jupyter");
}

/** Where Jupyter looks for the kernelspecs of the current user. */
export function userDataFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { JUPYTER_DATA_DIR: own, XDG_DATA_HOME: dataHome, APPDATA: appData } = env;
  if (own !== undefined) return own;
  if (process.platform === "darwin") return path.join(homedir(), "Library", "Jupyter");
  if (process.platform === "win32" && appData !== undefined) return path.join(appData, "jupyter");
  return path.join(dataHome ?? path.join(homedir(), ".local", "share"), "jupyter");
}

/**
 * A project's own data folder. In a `.venv`, the Jupyter of that environment finds it; elsewhere `JUPYTER_PATH`
 * has to name it.
 *
 * @param folder in the project: the nearest folder upwards with `.venv` or `package.json` is its root
 */
export function projectDataFolder(folder: string): { dataFolder: string; isFoundByItself: boolean } {
  const environment = nearest(folder, path.join(".venv", "pyvenv.cfg"));
  if (environment !== undefined) {
    return { dataFolder: prefixDataFolder(path.join(environment, ".venv")), isFoundByItself: true };
  }
  const root = nearest(folder, "package.json") ?? path.resolve(folder);
  return { dataFolder: prefixDataFolder(root), isFoundByItself: false };
}

/** All folders that a Jupyter started here would look into, as far as they can be known without Python. */
export function allDataFolders(folder: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const prefixes = [env["VIRTUAL_ENV"], env["CONDA_PREFIX"], "/usr/local", "/usr"].flatMap((prefix) =>
    prefix === undefined || prefix === "" ? [] : prefixDataFolder(prefix),
  );
  const named = (env["JUPYTER_PATH"] ?? "").split(path.delimiter).filter((entry) => entry !== "");
  const folders = [...named, userDataFolder(env), projectDataFolder(folder).dataFolder, ...prefixes];
  return [...new Set(folders)];
}

/** The nearest folder upwards that contains a file. */
function nearest(folder: string, file: string): string | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (existsSync(path.join(at, file))) return at;
    if (at === path.dirname(at)) return undefined;
  }
}
