/**
 * The build that packages hold: all of JavaScript in one bundle, native packages beside it. `HYPERTOWER_ELECTRON=25` builds for an
 * Electron without ES modules in its main process, which serves to check packages where no newer one is at hand.
 */
import { resolve } from "node:path";
import { defineConfig } from "electron-vite";
import vue from "@vitejs/plugin-vue";
import { asyncEntries } from "../../test/desktop/electron25/asyncEntries.mjs";
import { desktop, inputOf, processes } from "../entries.mjs";
import { noticesPlugin } from "../supply/packages.mjs";
import { external } from "./natives.mjs";

const root = resolve(import.meta.dirname, "../..");
const at = (path: string) => resolve(root, path);
const out = at("out/package/app/out");
const legacy = process.env["HYPERTOWER_ELECTRON"] === "25";

const target = legacy ? { target: "node18.15" } : {};

export default defineConfig({
  main: {
    plugins: legacy ? [asyncEntries] : [],
    build: {
      outDir: `${out}/main`,
      externalizeDeps: false,
      minify: true,
      ...target,
      rollupOptions: {
        external: [...external],
        input: inputOf({ ...desktop, ...processes }, at),
        output: legacy
          ? { format: "cjs", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js", banner: (chunk) => (chunk.isEntry ? `require("../../polyfills.cjs");` : "") }
          : { format: "es" },
      },
    },
  },
  preload: {
    build: {
      outDir: `${out}/preload`,
      externalizeDeps: false,
      minify: true,
      ...target,
      rollupOptions: { external: ["electron"], input: { index: at("src/preload/index.ts") }, output: { format: "cjs", entryFileNames: "[name].cjs" } },
    },
  },
  renderer: {
    root: at("src/renderer"),
    build: { outDir: `${out}/renderer`, minify: true, ...(legacy && { target: "chrome114", cssTarget: "chrome114" }), rollupOptions: { input: at("src/renderer/index.html") } },
    resolve: { alias: { "@": at("src/renderer/src"), "@shared": at("src/shared"), "@charts": at("src/charts") } },
    plugins: [vue(), noticesPlugin(root)],
  },
});
