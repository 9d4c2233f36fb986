/** Ways into a packaged app that its fuses and its window close; each function throws where one is open. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SetupError } from "../setup.mjs";

const unsandboxed = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** JavaScript that leaves a file behind where it runs. */
function trace(work, name) {
  const marker = join(work, name);
  return { code: `require("fs").writeFileSync(${JSON.stringify(marker)}, "")`, ran: () => existsSync(marker) };
}

/** Starts the app and waits for its end. Beside one that is open, it hands over and ends by itself. */
const start = (executable, env, args = [], timeout = 120_000) => spawnSync(executable, [...unsandboxed, "--disable-gpu", ...args], { env, encoding: "utf8", timeout, killSignal: "SIGKILL" });

export function runsAsNode(executable, env, work) {
  const { code, ran } = trace(work, "ran-as-node");
  // A file, not `-e`: switches of Chromium's that follow it are no options of Node's, which would end there.
  const file = join(work, "run.cjs");
  writeFileSync(file, code);
  const { status } = spawnSync(executable, [file, ...unsandboxed], { env: { ...env, ELECTRON_RUN_AS_NODE: "1" }, timeout: 120_000 });
  if (ran()) throw new SetupError("ELECTRON_RUN_AS_NODE=1 ran JavaScript");
  return `ended with ${status}`;
}

export function takesNodeOptions(executable, env, work) {
  const { code, ran } = trace(work, "required");
  const file = join(work, "required.cjs");
  writeFileSync(file, code);
  const { status, stderr } = start(executable, { ...env, NODE_OPTIONS: `--require ${file}` });
  // A package that reads it refuses most options in these words; one that does not may say that it is disabled.
  if (ran() || /not supported in packaged|not allowed in NODE_OPTIONS/.test(stderr)) throw new SetupError("NODE_OPTIONS was read");
  return `ended with ${status}`;
}

export function opensInspector(executable, env) {
  const { status, stderr, stdout } = start(executable, env, ["--inspect=127.0.0.1:0"]);
  if (/Debugger listening/.test(stderr + stdout)) throw new SetupError("--inspect opened Node's inspector");
  return `ended with ${status}`;
}

/** Puts a folder in the place of the archive, for as long as this takes: call while the app is closed. */
export function runsFolder(executable, env, work) {
  const { code, ran } = trace(work, "ran-a-folder");
  const resources = join(dirname(executable), "resources");
  const [folder, archive, away] = ["app", "app.asar", "away.asar"].map((name) => join(resources, name));
  mkdirSync(folder);
  renameSync(archive, away);
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "other", version: "1.0.0", main: "main.js" }));
    writeFileSync(join(folder, "main.js"), `${code}; require("electron").app.exit(0);`);
    // Without an app, Electron shows an error and waits.
    start(executable, env, [], 20_000);
    if (ran()) throw new SetupError(`${folder} ran in place of the archive`);
  } finally {
    renameSync(away, archive);
    rmSync(folder, { recursive: true });
  }
}

/** What the built app's tests show at length, once more in the package's window. */
export async function pageGetsOut(page) {
  const open = await page.evaluate(async () => {
    const found = ["require", "module", "process", "Buffer", "global", "ipcRenderer", "electron"].filter((name) => name in globalThis);
    if (window.open("https://elsewhere.test/") !== null) found.push("a second window");
    const outside = await Promise.all(["https://elsewhere.test/", "http://127.0.0.1:1/", "file:///etc/passwd"].map((url) => fetch(url, { mode: "no-cors" }).then(() => url, () => null)));
    found.push(...outside.filter((url) => url !== null));
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.head.append(script);
    if ("injected" in window) found.push("an injected script");
    const before = location.href;
    location.assign("https://elsewhere.test/");
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (location.href !== before) found.push(location.href);
    return found;
  });
  if (open.length > 0) throw new SetupError(`the page has or reaches ${open.join(", ")}`);
}
