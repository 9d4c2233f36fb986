/**
 * The build that packages hold: all of JavaScript in one bundle, native packages beside it. `HYPERTOWER_ELECTRON=25` builds for an
 * Electron without ES modules in its main process, which serves to check packages where no newer one is at hand.
 */
import { resolve } from "node:path";
import { defineConfig } from "electron-vite";
import vue from "@vitejs/plugin-vue";
import { noticesPlugin } from "../supply/packages.mjs";
import { external } from "./natives.mjs";

const root = resolve(import.meta.dirname, "../..");
const at = (path: string) => resolve(root, path);
const out = at("out/package/app/out");
const legacy = process.env["HYPERTOWER_ELECTRON"] === "25";

/** CommonJS has no `await` outside of functions: what follows the imports of an entry becomes one. */
const wrapAwaits = {
  name: "wrap-awaits",
  enforce: "pre" as const,
  transform(code: string, id: string) {
    if (!/src\/main\/(archives\/worker|store\/storeTask|store\/integrityCheck)\.ts$/.test(id)) return null;
    const end = Math.max(...[...code.matchAll(/^import .*;$/gm)].map((found) => found.index + found[0].length));
    return `${code.slice(0, end)}\nvoid (async () => {\n${code.slice(end)}\n})();\n`;
  },
};
const target = legacy ? { target: "node18.15" } : {};

export default defineConfig({
  main: {
    plugins: legacy ? [wrapAwaits] : [],
    // Its ES module has no default export, which Node's loader makes up for.
    resolve: { alias: { "opentype.js": at("node_modules/opentype.js/dist/opentype.js") } },
    build: {
      outDir: `${out}/main`,
      externalizeDeps: false,
      minify: true,
      ...target,
      rollupOptions: {
        external: [...external],
        input: {
          desktop: at("src/main/desktop/index.ts"),
          trainer: at("src/main/trainer/trainer.ts"),
          importer: at("src/main/importing/importer.ts"),
          integrityCheck: at("src/main/store/integrityCheck.ts"),
          importWorker: at("src/main/archives/worker.ts"),
          storeTask: at("src/main/store/storeTask.ts"),
          batchWorker: at("src/core/feeds/ahead/worker.ts"),
        },
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
