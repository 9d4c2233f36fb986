import { defineConfig } from "vitest/config";
import vue from "@vitejs/plugin-vue";
import { resolve } from "node:path";
import { noticesPlugin } from "./scripts/supply/packages.mjs";

const at = (path: string) => resolve(import.meta.dirname, path);

/** Tests that change what is global to a process, or replace modules: each file gets a process of its own. */
const alone = [
  "test/unit/desktop/**/*.test.ts",
  "test/unit/headless/{config,manage}.test.ts",
  "test/unit/services/{imports,predictions}.test.ts",
  "test/unit/training/{trainer,trainedTime}.test.ts",
  "test/unit/faults/surface.test.ts",
  "test/unit/logs/hostLog.test.ts",
  "test/unit/datasets/own.test.ts",
  "test/unit/library/pack{age,ed}.test.ts",
  "test/unit/store/durability.test.ts",
  "test/parity/webgpu.test.ts",
];

/** Statements of the store are checked wherever they are prepared. */
const setupFiles = ["test/support/patience.ts", "test/support/queryPlans.ts"];

/** Parts of the window, mounted in a pretended browser. */
const components = "test/unit/renderer/components/**/*.test.ts";

/** Unit tests, golden traces and engine parity. End-to-end tests have a configuration of their own. */
export default defineConfig({
  plugins: [vue(), noticesPlugin(import.meta.dirname)],
  resolve: { alias: { "@": at("src/renderer/src"), "@shared": at("src/shared"), "@charts": at("src/charts") } },
  test: {
    // Data that tests import must not go to the user's own, nothing trains on an engine that was measured to be fast,
    // and the many command lines and trainers that are started compile their sources once.
    env: { HYPERTOWER_DATA: at("test-results/data"), HYPERTOWER_ENGINE: "onnx-cpu", HYPERTOWER_EXTRAS: at("test-results/extras"), NODE_COMPILE_CACHE: at("test-results/compile-cache") },
    environment: "node",
    pool: "forks",
    globalSetup: "test/support/buildProcesses.ts",
    // One worker a core: with two cores Vitest leaves one idle otherwise.
    maxWorkers: "100%",
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // As in patience.ts.
    expect: { poll: { timeout: 150_000 } },
    // A leaked timer or process is a defect: say so instead of hanging.
    teardownTimeout: 30_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        // Each file loads the parts of the window anew: one file, not a thousand.
        resolve: { alias: [{ find: /^element-plus$/, replacement: at("node_modules/element-plus/dist/index.full.mjs") }] },
        test: { name: "components", include: [components], environment: "happy-dom", setupFiles: "test/support/patience.ts", server: { deps: { external: [/index\.full\.mjs$/] } } },
      },
      { extends: true, test: { name: "alone", include: alone, setupFiles } },
      {
        extends: true,
        test: {
          name: "together",
          setupFiles,
          include: ["test/{unit,golden,parity}/**/*.test.ts"],
          exclude: [...alone, components],
          // They share no state, so modules are loaded once a worker.
          isolate: false,
        },
      },
    ],
  },
});
