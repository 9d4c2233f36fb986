import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** The desktop app in a real Electron: `npm run test:desktop` says in which, as which user, and of which build. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    // Nothing trains on an engine that was measured to be fast.
    env: { HYPERTOWER_ENGINE: "onnx-cpu", HYPERTOWER_TESTS: "all" },
    setupFiles: "test/e2e/support/ownDataFolder.ts",
    include: ["test/e2e/electron/**/*.test.ts"],
    environment: "node",
    pool: "forks",
    // Each test runs an Electron and a trainer.
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
