import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** End-to-end tests: they run what `npm run build` made, each on a data folder of its own. */
export default defineConfig({
  test: {
    // Nothing trains on an engine that was measured to be fast.
    // The many workbenches and trainers that are started compile the build once.
    env: { HYPERTOWER_ENGINE: "onnx-cpu", NODE_COMPILE_CACHE: resolve(import.meta.dirname, "test-results/compile-cache") },
    setupFiles: "test/e2e/support/ownDataFolder.ts",
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: "test/e2e/support/prerequisites.ts",
    environment: "node",
    pool: "forks",
    // A worker loads modules once and launches one browser for its files; stores, data folders and browser contexts are each test's own.
    isolate: false,
    // Each test runs a workbench, a trainer and a browser: two files at a time, however many cores there are.
    maxWorkers: 2,
    // As long as Playwright's own actions wait: a busy machine must pass them.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
