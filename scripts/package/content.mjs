/** What a finished package holds: every file, and what must not be among them. */
import { lstatSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { listPackage, statFile } from "@electron/asar";

/** @typedef {{ path: string, bytes: number }} Held a file, `app.asar/…` for those inside the archive */

/** @returns {Held[]} every file of an unpacked app; those that the archive names but keeps beside it appear once */
export function filesOf(folder) {
  const found = [];
  const walk = (at) => {
    for (const name of readdirSync(at)) {
      const path = join(at, name);
      const info = lstatSync(path);
      if (info.isDirectory()) walk(path);
      else found.push({ path: relative(folder, path).split(sep).join("/"), bytes: info.size });
    }
  };
  walk(folder);
  const archive = found.find(({ path }) => path.endsWith("app.asar"));
  if (!archive) return found;
  const file = join(folder, archive.path);
  const inside = listPackage(file, { isPack: false })
    .map((name) => name.replace(/^[/\\]/, ""))
    .map((name) => ({ name, info: statFile(file, name, false) }))
    .filter(({ info }) => !("files" in info) && !info.unpacked && !("link" in info))
    .map(({ name, info }) => ({ path: `${archive.path}/${name.split(sep).join("/")}`, bytes: info.size }));
  return [...found.filter((one) => one !== archive), ...inside];
}

/** Names of platforms in the paths of native code. */
const platforms = { linux: /linux/i, win32: /win32|windows|msvc/i, darwin: /darwin|macos/i };

/** Processors, as native packages write them. */
const processors = { x64: /x64|amd64/i, arm64: /arm64|aarch64/i };

const native = /\.(node|so(\.[\d.]+)?|dll|dylib|exe)$/i;

/**
 * @param {readonly Held[]} files
 * @param {string} target
 * @returns {{ [rule: string]: string[] }} paths that break each rule
 */
export function brokenRules(files, target) {
  const [platform, processor] = target.split("-");
  const others = (all, own) => Object.entries(all).filter(([name]) => name !== own).map(([, pattern]) => pattern);
  const named = (path, patterns) => patterns.some((pattern) => pattern.test(path.split("node_modules/").at(-1)));
  const paths = files.map(({ path }) => path);
  const natives = paths.filter((path) => native.test(path) && path.includes("node_modules/"));
  return {
    "no native code of other platforms": natives.filter((path) => named(path, others(platforms, platform))),
    "no native code of other processors": natives.filter((path) => named(path, others(processors, processor))),
    "native code is outside of the archive": natives.filter((path) => path.includes("app.asar/")),
    "no sources, maps or types": paths.filter((path) => /\.(ts|vue|map|c|cc|cpp|h|hpp|gyp)$/.test(path)),
    "no tests": paths.filter((path) => /(^|\/)(test|tests|__tests__|spec|coverage)\//.test(path)),
    "no locales but English": paths.filter((path) => /(^|\/)locales\//.test(path) && !path.endsWith("en-US.pak")),
    "fonts are files of their own": ["Inter-Regular.ttf", "Inter-SemiBold.ttf"].filter((name) => !paths.some((path) => path.endsWith(`resources/fonts/${name}`) && !path.includes("app.asar"))),
    "digits are compressed": paths.filter((path) => /idx\d-ubyte$/.test(path)),
    "licenses and notices": ["LICENSE", "THIRD-PARTY-NOTICES.txt"].filter((name) => !paths.some((path) => path.endsWith(`resources/${name}`))),
    "no page of Electron's own": paths.filter((path) => path.endsWith("default_app.asar")),
  };
}

const parts = [
  ["ONNX Runtime", /node_modules\/onnxruntime/],
  ["images (sharp, libvips)", /node_modules\/(@img|sharp|detect-libc|semver)/],
  ["pictures (resvg)", /node_modules\/@resvg/],
  ["SQLite", /node_modules\/better-sqlite3/],
  ["other packages", /node_modules\//],
  ["guide", /out\/guide\//],
  ["bundle", /app\.asar\//],
  ["datasets", /resources\/datasets\//],
  ["fonts, notices", /resources\/(fonts\/|LICENSE|THIRD-PARTY)/],
  ["Electron's locales", /(^|\/)locales\//],
  ["Electron", /./],
];

/** @returns {[part: string, bytes: number][]} largest first */
export function sizesByPart(files) {
  const sums = new Map();
  for (const { path, bytes } of files) {
    const [part] = parts.find(([, pattern]) => pattern.test(path));
    sums.set(part, (sums.get(part) ?? 0) + bytes);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}
