import { resolve } from "node:path";
import { defineConfig } from "electron-vite";
import vue from "@vitejs/plugin-vue";
import { noticesPlugin } from "./scripts/supply/packages.mjs";

const at = (path: string) => resolve(import.meta.dirname, path);

export default defineConfig({
  main: {
    build: {
      outDir: "out/main",
      rollupOptions: {
        input: {
          desktop: at("src/main/desktop/index.ts"),
          headless: at("src/main/headless/entry.ts"),
          trainer: at("src/main/trainer/trainer.ts"),
          importer: at("src/main/importing/importer.ts"),
          integrityCheck: at("src/main/store/integrityCheck.ts"),
          importWorker: at("src/main/archives/worker.ts"),
          storeTask: at("src/main/store/storeTask.ts"),
          batchWorker: at("src/core/feeds/ahead/worker.ts"),
        },
        output: { format: "es" },
      },
    },
  },
  preload: {
    build: {
      outDir: "out/preload",
      // A sandboxed preload cannot load modules of its own: one CommonJS file, everything inside.
      externalizeDeps: false,
      rollupOptions: { input: { index: at("src/preload/index.ts") }, output: { format: "cjs", entryFileNames: "[name].cjs" } },
    },
  },
  renderer: {
    root: at("src/renderer"),
    build: { outDir: at("out/renderer"), minify: true, rollupOptions: { input: at("src/renderer/index.html") } },
    resolve: { alias: { "@": at("src/renderer/src"), "@shared": at("src/shared"), "@charts": at("src/charts") } },
    plugins: [vue(), noticesPlugin(import.meta.dirname)],
  },
});
