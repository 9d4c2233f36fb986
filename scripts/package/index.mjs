/**
 * `npm run package [-- --target linux-x64 --dir]`: makes the packages of this system under `out/package/dist`. `--dir` makes the
 * unpacked app alone. ELECTRON_OVERRIDE_DIST_PATH names an unpacked Electron to use instead of a download.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled, runMain, SetupError } from "../setup.mjs";
import { makeDeb } from "./deb.mjs";
import { builderConfiguration } from "./electron-builder.mjs";
import { readFuses } from "./fuses.mjs";
import { packageFolder, stage } from "./stage.mjs";

const unpackedFolder = { "linux-x64": "linux-unpacked", "linux-arm64": "linux-arm64-unpacked", "win32-x64": "win-unpacked", "win32-arm64": "win-arm64-unpacked", "darwin-arm64": "mac-arm64" };

/** Folder of the unpacked app, and its executable. */
export function unpackedApp(target) {
  const folder = join(packageFolder, "dist", unpackedFolder[target]);
  const executable = { linux: "hypertower", win32: "Hypertower.exe", darwin: "Hypertower.app/Contents/MacOS/Hypertower" }[target.split("-")[0]];
  return { folder, executable: join(folder, executable) };
}

/**
 * @param {{ target: string, dirOnly?: boolean, electron?: { dist: string, version: string }, sqlite?: string, polyfills?: string, legacy?: boolean }} options
 * @returns {Promise<readonly string[]>} paths of the packages
 */
export async function makePackages({ target, dirOnly = false, electron, ...staging }) {
  await stage({ target, ...staging });
  const { build, Platform, Arch } = await import("electron-builder");
  const [platform, processor] = target.split("-");
  const config = builderConfiguration(electron && { electronDist: electron.dist, electronVersion: electron.version });
  const system = { linux: Platform.LINUX, win32: Platform.WINDOWS, darwin: Platform.MAC }[platform];
  const wanted = { linux: config.linux, win32: config.win, darwin: config.mac }[platform].target;
  const made = await build({ targets: system.createTarget(dirOnly ? ["dir"] : wanted, Arch[processor]), config, publish: "never" });
  const { folder, executable } = unpackedApp(target);
  const wrong = (await readFuses(executable)).filter(({ fits }) => !fits);
  if (wrong.length > 0) throw new SetupError(`Fuses are not as configured: ${wrong.map(({ name, wanted: want, is }) => `${name} is ${is}, not ${want}`).join("; ")}.`);
  if (platform !== "linux" || dirOnly) return made;
  return [...made, makeDeb({ app: folder, target, output: join(packageFolder, "dist"), work: join(packageFolder, "deb") })];
}

/** The Electron that ELECTRON_OVERRIDE_DIST_PATH names; undefined without it. */
export function overriddenElectron() {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (!dist) return undefined;
  const file = join(dist, "version");
  if (!existsSync(file)) throw new SetupError(`${file} is missing: it names the version of the Electron in ELECTRON_OVERRIDE_DIST_PATH.`);
  return { dist, version: readFileSync(file, "utf8").trim().replace(/^v/, "") };
}

async function main() {
  const { values } = parseArgs({ options: { target: { type: "string", default: `${process.platform}-${process.arch}` }, dir: { type: "boolean", default: false } } });
  await ensureInstalled();
  const files = await makePackages({ target: values.target, dirOnly: values.dir, electron: overriddenElectron() });
  for (const file of files) console.log(file);
  return 0;
}

if (import.meta.main) await runMain(main);
