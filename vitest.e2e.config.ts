import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** End-to-end tests: they run what `npm run build` made, each on a data folder of its own. */
export default defineConfig({
  test: {
    // Data that tests import must not go to the user's own, and nothing trains on an engine that was measured to be fast.
    env: { HYPERTOWER_DATA: resolve(import.meta.dirname, "test-results/data"), HYPERTOWER_ENGINE: "onnx-cpu" },
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: "test/e2e/support/prerequisites.ts",
    environment: "node",
    pool: "forks",
    // Each test runs a workbench, a trainer and a browser, and datasets of one's own lie in one folder: one file at a time.
    fileParallelism: false,
    // As long as Playwright's own actions wait: a busy machine must pass them.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
