// Types of findTorch.mjs for programs that do not read JSDoc.

/** A PyTorch that the native part can be built against. */
export interface Torch {
  /** Folder of Python packages that holds it. */
  sitePackages: string;
  /** Its own folder. */
  torchDir: string;
  /** For example `2.13.0+cpu`. */
  version: string;
  /** Whether it is a CUDA build. */
  cuda: boolean;
  /** The CUDA run-time compiler that belongs to it, where it is installed. */
  nvrtc?: string;
  /** Of a CUDA build: folders of CUDA's headers, or the header that is missing. */
  cudaHeaders?: { folders: string[] } | { missing: string };
}

export function findTorch(where: {
  root: string;
  env: Record<string, string | undefined>;
}): Torch | { missing: string };
