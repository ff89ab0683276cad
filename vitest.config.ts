import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/conformance/**"],
    pool: "forks",
    // Every worker loads libtorch with its own threads: more than one oversubscribes two cores.
    maxWorkers: 2,
    testTimeout: 30_000,
    coverage: { provider: "v8", include: ["src/**"], exclude: ["src/**/*.d.ts", "src/index.ts"] },
  },
});
