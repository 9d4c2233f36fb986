import { resolve } from "node:path";
import { defineConfig } from "electron-vite";
import vue from "@vitejs/plugin-vue";
import { desktop, headless, inputOf, processes } from "./scripts/entries.mjs";
import { noticesPlugin } from "./scripts/supply/packages.mjs";

const at = (path: string) => resolve(import.meta.dirname, path);

export default defineConfig({
  main: {
    build: {
      outDir: "out/main",
      rollupOptions: {
        input: inputOf({ ...desktop, ...headless, ...processes }, at),
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
