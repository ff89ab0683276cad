// Types of native.mjs for programs that do not read JSDoc.

/** What stands in native/build/build.json; src/torch/addon.ts reads it. */
export interface BuildRecord {
  torchVersion: string;
  torchDir: string;
  cuda: boolean;
  nvrtc?: string;
  /** First line of the compiler's `--version`. */
  compiler: string;
  /** Digest of sources, torch and flags. */
  hash: string;
  /** Of the build, ISO. */
  date: string;
}

export function buildNative(options: {
  root: string;
  log: (line: string) => void;
  env?: Record<string, string | undefined>;
}): Promise<BuildRecord | { missing: string }>;
