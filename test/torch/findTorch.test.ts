import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findTorch } from "../../scripts/findTorch.mjs";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "katlab-torch-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const none = { PATH: "" };
const write = (path: string, text = ""): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};

/** A site-packages folder with a torch that has only what is looked at. */
function install(prefix: string, version: string, { cuda = "", hip = "" } = {}): string {
  const sitePackages = join(root, prefix, "lib", "python3.11", "site-packages");
  const quoted = (value: string): string => (value === "" ? "None" : `'${value}'`);
  write(
    join(sitePackages, "torch", "version.py"),
    `from typing import Optional\n__version__ = '${version}'\ncuda: Optional[str] = ${quoted(cuda)}\nhip: Optional[str] = ${quoted(hip)}\n`,
  );
  if (cuda !== "") write(join(sitePackages, "torch", "lib", "libc10_cuda.so"));
  return sitePackages;
}

const found = (env: Record<string, string | undefined>): string => {
  const torch = findTorch({ root, env });
  return "missing" in torch ? torch.missing.replaceAll(root, "<root>") : torch.version;
};

describe("order", () => {
  test("KATLAB_TORCH, then the active environment, then .venv", () => {
    const chosen = install("chosen", "2.11.0");
    install("virtual", "2.12.0");
    install("conda", "2.12.1");
    install(".venv", "2.13.0+cpu");
    const active = { VIRTUAL_ENV: join(root, "virtual"), CONDA_PREFIX: join(root, "conda") };
    expect(found({ ...none, ...active, KATLAB_TORCH: chosen })).toBe("2.11.0");
    expect(found({ ...none, ...active })).toBe("2.12.0");
    expect(found({ ...none, CONDA_PREFIX: join(root, "conda") })).toBe("2.12.1");
    expect(found(none)).toBe("2.13.0+cpu");
    expect(found({ ...none, KATLAB_TORCH: "" })).toBe("2.13.0+cpu");
  });

  test("the environment of python3 on the path counts as active", () => {
    install("somewhere", "2.12.0");
    const python = write(join(root, "somewhere", "bin", "python3"));
    expect(found({ PATH: `${join(root, "empty")}:${dirname(python)}` })).toBe("2.12.0");
  });

  test("an old torch in the active environment is passed over", () => {
    install("old", "2.10.1");
    const env = { ...none, VIRTUAL_ENV: join(root, "old") };
    expect(found(env)).toMatchInlineSnapshot(
      `"torch: must be a site-packages folder with torch 2.11 or newer; got 2.10.1 in <root>/old/lib/python3.11/site-packages. Run npm start, or name a site-packages folder in KATLAB_TORCH."`,
    );
    install(".venv", "2.13.0");
    expect(found(env)).toBe("2.13.0");
  });

  test("what KATLAB_TORCH names must hold, whatever else there is", () => {
    install(".venv", "2.13.0");
    expect(found({ ...none, KATLAB_TORCH: join(root, "nothing") })).toMatchInlineSnapshot(
      `"torch: KATLAB_TORCH must name a site-packages folder with torch 2.11 or newer; got <root>/nothing without torch. Correct it or unset it."`,
    );
  });
});

describe("what is read", () => {
  test("a CPU build", () => {
    const sitePackages = install(".venv", "2.13.0+cpu");
    expect(findTorch({ root, env: none })).toEqual({
      sitePackages,
      torchDir: join(sitePackages, "torch"),
      version: "2.13.0+cpu",
      cuda: false,
    });
  });

  test("a CUDA build, with the NVRTC of its CUDA", () => {
    const sitePackages = install(".venv", "2.12.0+cu128", { cuda: "12.8" });
    const nvrtc = write(join(sitePackages, "nvidia", "cuda_nvrtc", "lib", "libnvrtc.so.12"));
    write(join(sitePackages, "nvidia", "cu13", "lib", "libnvrtc.so.13"));
    write(join(sitePackages, "nvidia", "cu13", "lib", "libnvrtc-builtins.so.13.0"));
    expect(findTorch({ root, env: none })).toMatchObject({ cuda: true, nvrtc });
  });

  test("the newest NVRTC beside a CPU build", () => {
    const sitePackages = install(".venv", "2.13.0+cpu");
    write(join(sitePackages, "nvidia", "cuda_nvrtc", "lib", "libnvrtc.so.12"));
    const nvrtc = write(join(sitePackages, "nvidia", "cu13", "lib", "libnvrtc.so.13"));
    expect(findTorch({ root, env: none })).toMatchObject({ cuda: false, nvrtc });
  });

  test("two-digit minors and majors are numbers", () => {
    install(".venv", "2.9.1");
    expect(found(none)).toContain("got 2.9.1");
    install(".venv", "3.0.0");
    expect(found(none)).toBe("3.0.0");
  });

  test("a ROCm build is named", () => {
    install(".venv", "2.13.0+rocm6.4", { hip: "6.4" });
    expect(found(none)).toMatchInlineSnapshot(
      `"torch: must be a CPU or CUDA build; got 2.13.0+rocm6.4 for ROCm in <root>/.venv/lib/python3.11/site-packages. Run npm start, or name a site-packages folder in KATLAB_TORCH."`,
    );
  });

  test("a torch without a version, and none at all", () => {
    write(
      join(root, ".venv", "lib", "python3.12", "site-packages", "torch", "version.py"),
      "debug = False\n",
    );
    expect(found(none)).toContain("without a version");
    rmSync(join(root, ".venv"), { recursive: true });
    expect(found(none)).toMatchInlineSnapshot(
      `"torch: must be in the active Python environment or in .venv; got none. Run npm start, or name a site-packages folder in KATLAB_TORCH."`,
    );
  });
});

describe("CUDA's headers", () => {
  const headers = (sitePackages: string): unknown => {
    const torch = findTorch({ root, env: { ...none, KATLAB_TORCH: sitePackages } });
    return "missing" in torch ? torch : torch.cudaHeaders;
  };

  test("are looked for beside a CUDA build, each in its package", () => {
    const sitePackages = install("cuda", "2.13.0", { cuda: "12.8" });
    const nvidia = join(sitePackages, "nvidia");
    write(join(nvidia, "cuda_runtime", "include", "cuda_runtime_api.h"));
    write(join(nvidia, "cuda_nvcc", "include", "crt", "host_config.h"));
    expect(headers(sitePackages)).toEqual({
      folders: [join(nvidia, "cuda_runtime", "include"), join(nvidia, "cuda_nvcc", "include")],
    });
  });

  test("in one folder are named once", () => {
    const sitePackages = install("cuda", "2.13.0", { cuda: "13.0" });
    const include = join(sitePackages, "nvidia", "cu13", "include");
    write(join(include, "cuda_runtime_api.h"));
    write(join(include, "crt", "host_config.h"));
    expect(headers(sitePackages)).toEqual({ folders: [include] });
  });

  test.skipIf(existsSync("/usr/local/cuda/include/crt/host_config.h"))("that are missing are named", () => {
    const sitePackages = install("cuda", "2.13.0", { cuda: "13.0" });
    write(join(sitePackages, "nvidia", "cu13", "include", "cuda_runtime_api.h"));
    expect(headers(sitePackages)).toEqual({ missing: join("crt", "host_config.h") });
  });

  test("are not asked for by a build for the CPU", () => {
    expect(headers(install("cpu", "2.13.0+cpu"))).toBeUndefined();
  });
});
