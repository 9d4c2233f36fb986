import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");

/** Folder of the build under test; the checks of an older Electron name another one. */
const buildFolder = process.env["HYPERTOWER_BUILD"] ?? join(root, "out");
const out = (path: string) => join(buildFolder, path);

export const built = {
  desktop: out("main/desktop.js"),
  headless: out("main/headless.js"),
  trainer: out("main/trainer.js"),
  preload: out("preload/index.cjs"),
  page: out("renderer/index.html"),
} as const;

export const builtFiles: readonly string[] = Object.values(built);
