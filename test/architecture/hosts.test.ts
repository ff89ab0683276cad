import { describe, expect, test } from "vitest";
import { isText, read, repositoryFiles } from "./repository.js";

/** Where things can be read about, and where data comes from. Package registries are the installers' business. */
const allowed = [
  "arxiv.org",
  "github.com",
  "raw.githubusercontent.com",
  "huggingface.co",
  "vega.github.io",
  "tech.zalando.com",
  "fashion-mnist.s3-website.eu-central-1.amazonaws.com",
  "ossci-datasets.s3.amazonaws.com",
  "www.cs.toronto.edu",
  "s3.amazonaws.com",
  "nodejs.org",
  "www.typescriptlang.org",
  "www.w3.org",
  "opensource.org",
  "www.apache.org",
  "localhost",
  "127.0.0.1",
  "example.com",
];

test("no file names another host", () => {
  const hosts = new Map<string, string>();
  for (const file of repositoryFiles().filter((file) => isText(file) && file !== "package-lock.json")) {
    for (const [, host] of read(file).matchAll(/https?:\/\/([\w.-]+)/g)) hosts.set(host, file);
  }
  expect([...hosts].filter(([host]) => !allowed.includes(host) && !host.endsWith(".example"))).toEqual([]);
});

describe("package-lock.json", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { resolved?: string; link?: boolean }>;
  };

  test("names no host", () => {
    const resolved = Object.entries(packages).filter(
      ([, { resolved, link }]) => resolved !== undefined && !link,
    );
    expect(resolved).toEqual([]);
    // Funding addresses are the packages' own words.
    expect(Object.keys(packages).filter((path) => path.includes("://"))).toEqual([]);
  });

  test("holds exactly the versions that package.json names", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
      string,
      Record<string, string>
    >;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`], name).toMatchObject({ version });
    }
  });
});
