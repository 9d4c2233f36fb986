import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const at = (path: string) => resolve(import.meta.dirname, path);

/** Tests of fleets with the real things: Slurm, PostgreSQL. Each file starts what it needs and takes it down again. */
export default defineConfig({
  test: {
    env: { HYPERTOWER_DATA: at("test-results/data"), HYPERTOWER_ENGINE: "onnx-cpu", HYPERTOWER_EXTRAS: at("test-results/extras"), NODE_COMPILE_CACHE: at("test-results/compile-cache") },
    environment: "node",
    pool: "forks",
    // Clusters share the machine's ports and cores.
    fileParallelism: false,
    include: ["test/fleet/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
