// Replaces the default app that comes with Electron and is missing in packaged apps: without it, `electron FOLDER`,
// `--version` and the `-r` that Playwright adds do nothing. Usage: electron [-r MODULE]... [--version] APP
const { existsSync, readFileSync } = require("fs");
const Module = require("module");
const path = require("path");
const { app } = require("electron");

/** The command line in parts: modules to load first, and the app, the first argument that is no option. */
function readArguments(args) {
  const preloaded = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "-r" || args[i] === "--require") preloaded.push(args[++i]);
    else if (args[i] === "-v" || args[i] === "--version") return { preloaded, version: true };
    else if (!args[i].startsWith("-")) return { preloaded, named: args[i] };
  }
  return { preloaded };
}

function start({ preloaded, named, version }) {
  if (version) {
    console.log(`v${process.versions.electron}`);
    app.exit(0);
    return;
  }
  if (named === undefined) throw new Error("no app was named: electron APP");
  Object.defineProperty(process, "defaultApp", { value: true, enumerable: true });
  Module._preloadModules(preloaded);
  const place = path.resolve(named);
  const manifest = path.join(place, "package.json");
  const entry = Module._resolveFilename(place, null, true);
  if (existsSync(manifest)) {
    const { name, productName, version: appVersion } = JSON.parse(readFileSync(manifest, "utf8"));
    if (productName ?? name) app.name = productName ?? name;
    if (appVersion) app.setVersion(appVersion);
    app.setAppPath(place);
  } else {
    app.setAppPath(path.dirname(entry));
  }
  Module._load(entry, module, true);
}

try {
  start(readArguments(process.argv.slice(1)));
} catch (error) {
  console.error(error);
  process.exit(1);
}
