/** The app built for Electron 25: the same sources, as CommonJS, with what its Node lacks filled in. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localNode, packageBin, root, toolEnvironment } from "../../../scripts/setup.mjs";
import { must } from "./electron.mjs";
import { compileSqlite } from "./sqlite.mjs";

/** Inside the checkout, whose node_modules serves it with all packages but better-sqlite3. */
export const appFolder = join(root, "test-results", "electron25");

/** Builds the app. @returns {Promise<string>} its folder */
export async function buildApp() {
  const sqlite = await compileSqlite();
  rmSync(appFolder, { recursive: true, force: true });
  mkdirSync(appFolder, { recursive: true });
  await must("Building for Electron 25", localNode(), [packageBin("electron-vite"), "build", "--config", join(import.meta.dirname, "config.mjs")], {
    env: toolEnvironment({ NO_COLOR: "1", APP_FOLDER: appFolder }),
  });
  // Modules of this folder are CommonJS; without "type", they would be the checkout's ES modules.
  const manifest = { ...JSON.parse(readFileSync(join(root, "package.json"), "utf8")), type: "commonjs" };
  writeFileSync(join(appFolder, "package.json"), JSON.stringify(manifest, null, 2));
  copyFileSync(join(import.meta.dirname, "polyfills.cjs"), join(appFolder, "polyfills.cjs"));
  cpSync(join(root, "resources"), join(appFolder, "resources"), { recursive: true });
  cpSync(sqlite, join(appFolder, "node_modules", "better-sqlite3"), { recursive: true });
  return appFolder;
}
