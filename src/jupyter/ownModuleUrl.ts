/** Part of a module's URL by which the user's own files are known; its value changes with them. */
const mark = "own";

/** The URL of one of the user's own files, as it is now when a version is given. */
export function ownModuleUrl(file: URL, version = ""): string {
  const url = new URL(file.href);
  url.search = `${mark}=${version}`;
  return url.href;
}

/** Whether a URL is that of one of the user's own files. */
export function isOwnModule(url: string | undefined): url is string {
  return url !== undefined && url.startsWith("file:") && new URL(url).searchParams.has(mark);
}

/** Positions in call stacks that lie in the user's own TypeScript files: `<url>:<line>:<column>`. */
export const ownPosition: RegExp = new RegExp(`(file:[^\\s()]+\\.[cm]?ts\\?${mark}=\\w*):(\\d+):(\\d+)`, "g");
