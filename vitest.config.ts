import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/conformance/**"],
    pool: "forks",
    maxWorkers: 2,
    // Operators of tests are small. With a pool of threads in each worker they wait for one another: at worst 30 times longer.
    env: { OMP_NUM_THREADS: "1" },
    testTimeout: 30_000,
    coverage: { provider: "v8", include: ["src/**"], exclude: ["src/**/*.d.ts", "src/index.ts"] },
  },
});
