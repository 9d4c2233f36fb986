/**
 * `npm run test:desktop`: the desktop app in a real Electron, under Xvfb: as it was built in the Electron of the package
 * (or of ELECTRON_OVERRIDE_DIST_PATH) where there is one or it can be downloaded, and built for Electron 25 where that
 * can be laid out. As root both as root, without the sandbox, and as `nobody`, with it; otherwise as the user who asks.
 * The last line counts tests: `N passed, M failed`.
 */
import { spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { electronBinary } from "../../scripts/electron.mjs";
import { ensureBuilt, ensureInstalled, localNode, packageBin, runMain, runQuietly, SetupError, toolEnvironment } from "../../scripts/setup.mjs";

const isRoot = process.getuid?.() === 0;
/** Milliseconds after which a suite that hangs fails. */
const limit = 30 * 60_000;
/** Debian's packages with the libraries that Electron links, a display, and what draws its text. */
const packages = "xvfb libgtk-3-0 libnss3 libasound2 libgbm1 libxss1 libnotify4 libsecret-1-0 libxtst6 libatspi2.0-0 xdg-utils".split(" ");

/** Installs what Electron needs of the system, as root on Debian; elsewhere says what is missing. */
async function ensureLibraries(electron) {
  if (process.platform !== "linux") return;
  const missing = async () => {
    const { output } = await runQuietly("ldd", [electron]);
    const libraries = [...output.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name);
    return [...libraries, ...(process.env.DISPLAY || (await runQuietly("which", ["Xvfb"])).code === 0 ? [] : ["Xvfb"])];
  };
  if ((await missing()).length === 0) return;
  if (isRoot && existsSync("/usr/bin/apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await runQuietly("apt-get", ["update", "-qq"], { env });
    await runQuietly("apt-get", ["install", "-y", "--no-install-recommends", ...packages], { env });
  }
  const left = await missing();
  if (left.length > 0) throw new SetupError(`Electron cannot start here without ${left.join(", ")}. On Debian: apt-get install ${packages.join(" ")}`);
}

/** Starts Xvfb on a free display where there is none. */
async function openDisplay() {
  if (process.platform !== "linux" || process.env.DISPLAY) return { close: () => undefined };
  // Any local user may draw on it: one suite runs as another user.
  const server = spawn("Xvfb", ["-displayfd", "1", "-ac", "-nolisten", "tcp", "-screen", "0", "1600x1000x24"], { stdio: ["ignore", "pipe", "ignore"] });
  const number = await new Promise((resolve, reject) => {
    server.stdout.once("data", (chunk) => resolve(String(chunk).trim()));
    server.once("error", reject);
    server.once("exit", (code) => reject(new SetupError(`Xvfb ended with exit code ${code}`)));
  });
  process.env.DISPLAY = `:${number}`;
  return { close: () => server.kill() };
}

/** The first Electron that better-sqlite3's own builds support. */
const oldest = 35;

async function versionOf(binary) {
  const { output } = await runQuietly(binary, ["--version", ...(isRoot ? ["--no-sandbox"] : [])], { limit: 60_000 });
  return /^v(\d+\.\d+\.\d+\S*)$/m.exec(output)?.[1] ?? "of an unknown version";
}

/** The Electrons to test in. @returns {Promise<{ label: string, dist: string, build: string | null }[]>} `build`: null for the build as it is */
async function findElectrons(remarks) {
  const electrons = [];
  const { binary, problem } = await electronBinary();
  const version = binary && (await versionOf(binary));
  if (binary && Number.parseInt(version, 10) >= oldest) electrons.push({ label: `Electron ${version}, the build as it is`, dist: dirname(binary), build: null });
  else remarks.push(binary ? `${binary} is Electron ${version}; the build as it is needs ${oldest} or later.` : `${problem}.`);
  try {
    const { layOutElectron, electronVersion } = await import("./electron25/electron.mjs");
    const { buildApp } = await import("./electron25/app.mjs");
    process.stderr.write(`Laying out Electron ${electronVersion} and building for it (minutes at the first time) …`);
    const dist = await layOutElectron();
    const app = await buildApp();
    process.stderr.write(" done\n");
    electrons.push({ label: `Electron ${electronVersion}, built as CommonJS`, dist, build: join(app, "out") });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write("\n");
    remarks.push(error.message);
  }
  if (electrons[0]?.build !== null) remarks.push("Not shown by Electron 25: the app's ESM entry, Node 24, Electron 45, and better-sqlite3 as it comes (this one was compiled for Electron 25).");
  return electrons;
}

/** Who runs the suite: `prefix` is a command that runs another as that user. */
async function findUsers() {
  if (!isRoot) return [{ label: "sandboxed", prefix: [], id: null }];
  const idOf = async (kind) => Number((await runQuietly("id", [kind, "nobody"])).output);
  const id = { user: await idOf("-u"), group: await idOf("-g") };
  const prefix = ["setpriv", `--reuid=${id.user}`, `--regid=${id.group}`, "--clear-groups"];
  return [
    { label: "root, no sandbox", prefix: [], id: null },
    { label: "nobody, sandboxed", prefix, id },
  ];
}

/** A folder of the user, for reports, and as home. */
function folderOf({ id }) {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-desktop-"));
  const home = join(folder, "home");
  mkdirSync(home);
  chmodSync(folder, 0o755);
  if (id) for (const path of [folder, home]) chownSync(path, id.user, id.group);
  return { folder, home };
}

async function suite({ label, dist, build }, user, filters) {
  const title = `${label}; ${user.label}`;
  const begun = Date.now();
  const { folder, home } = folderOf(user);
  try {
    const report = join(folder, "report.json");
    const [command, ...args] = [...user.prefix, localNode(), packageBin("vitest"), "run", ...filters, "--config", "test/desktop/vitest.config.ts", "--configLoader", "native", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const env = toolEnvironment({ NO_COLOR: "1", ELECTRON_OVERRIDE_DIST_PATH: dist, HOME: home, XDG_CONFIG_HOME: join(home, ".config"), XDG_CACHE_HOME: join(home, ".cache"), ...(build ? { HYPERTOWER_BUILD: build } : {}) });
    const { code, output } = await runQuietly(command, args, { env, limit });
    const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
    const failed = code !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
    console.log(`${failed === 0 ? "✓" : "✗"} ${title}: ${numPassedTests} passed, ${failed} failed  ${((Date.now() - begun) / 1000).toFixed(0)} s`);
    for (const test of testResults.flatMap(({ assertionResults }) => assertionResults)) console.log(`    ${{ passed: "✓", failed: "✗" }[test.status] ?? "–"} ${test.title}`);
    if (failed > 0 || process.env.HYPERTOWER_TESTS_VERBOSE) console.log(`${output.trimEnd()}\n`);
    return { passed: numPassedTests, failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main() {
  await ensureInstalled();
  await ensureBuilt();
  const remarks = [];
  const electrons = await findElectrons(remarks);
  if (electrons.length === 0) throw new SetupError(remarks.join("\n"));
  await ensureLibraries(join(electrons[0].dist, "electron"));
  const display = await openDisplay();
  const total = { passed: 0, failed: 0 };
  try {
    for (const electron of electrons) {
      for (const user of await findUsers()) {
        const { passed, failed } = await suite(electron, user, process.argv.slice(2));
        total.passed += passed;
        total.failed += failed;
      }
    }
  } finally {
    display.close();
  }
  if (remarks.length > 0) console.log(`\n${remarks.join("\n")}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

await runMain(main);
