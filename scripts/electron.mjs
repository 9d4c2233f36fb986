/** Downloads Electron's program on first use, with Electron's own installer: its package does not contain it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localNode, packageBin, root } from "./setup.mjs";

const folder = join(root, "node_modules", "electron");
/** Milliseconds without new data after which the download is aborted. */
const stallLimit = 20_000;
const attempts = 2;

function presentBinary() {
  const pathFile = join(folder, "path.txt");
  if (!existsSync(pathFile)) return null;
  const binary = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, "dist"), readFileSync(pathFile, "utf8"));
  return existsSync(binary) ? binary : null;
}

/** Electron's program in the folder of ELECTRON_OVERRIDE_DIST_PATH. */
function overriddenBinary() {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (!dist) return null;
  const names = { win32: "electron.exe", darwin: "Electron.app/Contents/MacOS/Electron" };
  const binary = join(dist, names[process.platform] ?? "electron");
  return existsSync(binary) ? binary : null;
}

function bytesUnder(path) {
  if (!existsSync(path)) return 0;
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return 0;
  return info.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesUnder(join(path, name)), 0) : info.size;
}

/** Runs Electron's installer once. Resolves to null on success, or to the error message. */
function install() {
  return new Promise((done) => {
    // A separate temporary folder, whose size shows the progress.
    const temporary = mkdtempSync(join(tmpdir(), "hypertower-electron-"));
    const child = spawn(localNode(), [packageBin("electron", "install-electron")], {
      cwd: root,
      // NODE_USE_ENV_PROXY makes Node's fetch use HTTPS_PROXY.
      env: { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, NODE_USE_ENV_PROXY: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let output = "";
    child.stderr.on("data", (chunk) => (output += chunk));
    let bytes = 0;
    let lastGrowth = Date.now();
    let stalled = false;
    const watch = setInterval(() => {
      const now = bytesUnder(temporary) + bytesUnder(join(folder, "dist"));
      if (now !== bytes) {
        bytes = now;
        lastGrowth = Date.now();
        if (process.stderr.isTTY) process.stderr.write(`\rFetching Electron … ${(bytes / 1e6).toFixed(0)} MB `);
      } else if (Date.now() - lastGrowth > stallLimit) {
        stalled = true;
        child.kill("SIGKILL");
      }
    }, 500);
    const end = (problem) => {
      clearInterval(watch);
      rmSync(temporary, { recursive: true, force: true });
      done(problem);
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code) => {
      if (code === 0) end(null);
      else end(stalled ? `no answer for ${stallLimit / 1000} s` : firstError(output));
    });
  });
}

function firstError(text) {
  const lines = text.split("\n").map((line) => line.trim());
  const line = lines.find((candidate) => /error/i.test(candidate)) ?? lines.find((candidate) => candidate !== "") ?? "the installer failed";
  return line.replace(/^\w*Error: /, "").slice(0, 160);
}

/**
 * Path of Electron's program; downloads it if necessary.
 * @returns {Promise<{ binary: string | null, problem: string | null }>} the problem says why there is no program
 */
export async function electronBinary() {
  const present = overriddenBinary() ?? presentBinary();
  if (present) return { binary: present, problem: null };
  let problem = null;
  if (process.stderr.isTTY) process.stderr.write("Fetching Electron …");
  for (let attempt = 0; attempt < attempts; attempt++) {
    problem = await install();
    if (problem === null) break;
  }
  const binary = problem === null ? presentBinary() : null;
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  return { binary, problem: binary ? null : `Electron could not be fetched: ${problem ?? "its installer left no program"}` };
}
