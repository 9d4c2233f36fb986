/**
 * Installs the packages and builds, if needed.
 * Plain JavaScript without dependencies: it runs on any Node >= 18, with nothing installed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const windows = process.platform === "win32";
const modules = join(root, "node_modules");

/** A failed step; its message is complete, without a stack trace. */
export class SetupError extends Error {}

/** Path of the project's own Node (the package `node`), which runs everything but these scripts. */
export function localNode() {
  const own = join(modules, "node", "bin", windows ? "node.exe" : "node");
  if (existsSync(own)) return own;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  throw new SetupError(
    `Node ${process.versions.node} is too old to run Hypertower (22.18 or later is needed) and the project's own Node is missing from node_modules. Run: npm ci`,
  );
}

/** Path of a package's command line script. Run it with `localNode()`: without a shell, the same on every system. */
export function packageBin(name, bin = name) {
  const manifest = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const entry = typeof manifest.bin === "string" ? manifest.bin : manifest.bin?.[bin];
  if (!entry) throw new SetupError(`the package ${name} has no command named ${bin}`);
  return join(modules, name, entry);
}

/** Environment in which `node` is the project's own. */
export function toolEnvironment(extra = {}) {
  return { ...process.env, PATH: [join(modules, ".bin"), process.env.PATH].join(delimiter), ...extra };
}

const running = new Set();

/** Ends a command and everything it started. */
function endTree(child) {
  if (windows) spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" });
  else {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Its group has gone already.
    }
  }
}

/** Commands run in their own process groups, so an interruption must be forwarded. */
function interrupt() {
  for (const child of running) endTree(child);
  process.exit(130);
}
const interruptions = ["SIGINT", "SIGTERM", "SIGHUP"];

function began(child) {
  if (running.size === 0) for (const signal of interruptions) process.on(signal, interrupt);
  running.add(child);
}

function ended(child) {
  running.delete(child);
  if (running.size === 0) for (const signal of interruptions) process.off(signal, interrupt);
}

/**
 * Runs a command to its end and collects its output.
 * @param limit milliseconds after which the command and everything it started is killed; 0: no limit
 * @returns {Promise<{ code: number, output: string }>} `code` is 127 when it could not be started.
 */
export function runQuietly(command, args, { env = process.env, shell = false, cwd = root, limit = 0 } = {}) {
  return new Promise((done) => {
    const chunks = [];
    const child = spawn(command, args, { cwd, env, shell, detached: !windows, stdio: ["ignore", "pipe", "pipe"] });
    began(child);
    let late = false;
    const timer = limit > 0 ? setTimeout(() => ((late = true), endTree(child)), limit) : undefined;
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const end = (code, remark) => {
      clearTimeout(timer);
      ended(child);
      done({ code, output: Buffer.concat(chunks).toString("utf8") + (remark ? `\n${remark}\n` : "") });
    };
    child.on("error", (error) => end(127, error.message));
    child.on("close", (code, signal) => {
      if (late) end(1, `ended: not done after ${Math.round(limit / 1000)} s`);
      else end(code ?? 1, signal ? `ended by ${signal}` : "");
    });
  });
}

/** Runs a step with one line of progress; on failure prints all its output. */
async function step(title, run) {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  process.stderr.write(`${title} …`);
  const { code, output } = await run();
  if (code === 0) {
    process.stderr.write(` done (${seconds()})\n`);
    return;
  }
  process.stderr.write(` failed (${seconds()})\n${output.trimEnd()}\n`);
  throw new SetupError(`${title} failed with exit code ${code}; its output is above.`);
}

// ---- packages ------------------------------------------------------------------------------------

const installStamp = join(modules, ".hypertower-install");

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform}-${process.arch}`)
    .digest("hex");
}

/** Whether npm's list of installed packages matches the lock file. */
function installedMatchesLock() {
  const installedList = join(modules, ".package-lock.json");
  if (!existsSync(installedList)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedList, "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.link) return true;
    const there = installed[path];
    // An optional package may be missing, because it may be for another system.
    return there ? there.version === entry.version : Boolean(entry.optional);
  });
}

function npmCommand() {
  // `npm ci` removes node_modules with the project's own Node, so npm must run on another Node.
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !resolve(folder).startsWith(modules + sep))
    .join(delimiter);
  // An npm without allowScripts would let ONNX Runtime download its CUDA libraries: hundreds of megabytes, unused.
  return { env: { ...process.env, PATH: path, ONNXRUNTIME_NODE_INSTALL: "skip" }, command: windows ? "npm.cmd" : "npm", shell: windows };
}

/** Installs the packages when they are missing or package-lock.json has changed since. */
export async function ensureInstalled() {
  const hash = lockHash();
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === hash) return;
  if (!installedMatchesLock()) {
    const { command, shell, env } = npmCommand();
    // Windows cannot replace a running program, so update node_modules in place there.
    const runsFromModules = resolve(process.execPath).startsWith(modules + sep);
    const args = windows && runsFromModules ? ["install", "--no-audit", "--no-fund"] : ["ci", "--no-audit", "--no-fund"];
    await step("Installing packages (npm ci)", () => runQuietly(command, args, { env, shell }));
  }
  writeFileSync(installStamp, hash);
}

// ---- build ---------------------------------------------------------------------------------------

/** In a folder that every build empties, so that a manual build removes the stamp. */
const buildStamp = join(root, "out", "main", ".sources");
const buildOutputs = ["out/main/desktop.js", "out/main/headless.js", "out/main/trainer.js", "out/preload/index.cjs", "out/renderer/index.html", "out/library/library/index.js"];
const buildInputs = ["src", "resources", "scripts/supply", "electron.vite.config.ts", "tsconfig.base.json", "tsconfig.library.json", "tsconfig.web.json", "package.json", "package-lock.json"];

function* filesUnder(path) {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) {
    yield path;
    return;
  }
  for (const entry of readdirSync(path).sort()) yield* filesUnder(join(path, entry));
}

const sourcesHash = () => hashOf(buildInputs);

function hashOf(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of filesUnder(join(root, input))) {
      hash.update(relative(root, file).split(sep).join("/")).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/** Does the same as `npm run build`: builds the workbench, then the library. */
async function buildAll() {
  const env = toolEnvironment({ NO_COLOR: "1" });
  const workbench = await runQuietly(localNode(), [packageBin("electron-vite"), "build"], { env });
  if (workbench.code !== 0) return workbench;
  return runQuietly(localNode(), [packageBin("typescript-native", "tsc"), "-p", "tsconfig.library.json"], { env });
}

// ---- guide ---------------------------------------------------------------------------------------

const guideStamp = join(root, "out", "guide", ".sources");
const guideInputs = ["docs", "scripts/docs", "ARCHITECTURE.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "package-lock.json"];

/** Builds the site of the documentation if one of its sources has changed. */
async function ensureGuide() {
  if (!existsSync(join(root, "docs", ".vitepress"))) return;
  const hash = hashOf(guideInputs);
  if (existsSync(guideStamp) && readFileSync(guideStamp, "utf8") === hash) return;
  await step("Building the guide", () => runQuietly(localNode(), [packageBin("vitepress"), "build", "docs"], { env: toolEnvironment({ NO_COLOR: "1" }) }));
  mkdirSync(dirname(guideStamp), { recursive: true });
  writeFileSync(guideStamp, hash);
}

/** Builds the program and the guide, each if a source has changed since its last build. */
export async function ensureBuilt() {
  await ensureProgram();
  await ensureGuide();
}

/** Builds if a source has changed since the last build, or an output is missing. */
async function ensureProgram() {
  const hash = sourcesHash();
  const complete = buildOutputs.every((output) => existsSync(join(root, output)));
  if (complete && existsSync(buildStamp) && readFileSync(buildStamp, "utf8") === hash) return;
  rmSync(buildStamp, { force: true });
  await step("Building", buildAll);
  const missing = buildOutputs.filter((output) => !existsSync(join(root, output)));
  if (missing.length > 0) throw new SetupError(`The build ended without ${missing.join(", ")}.`);
  mkdirSync(dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, hash);
}

/** Runs a script's main function; a SetupError prints its message and sets exit code 1. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
