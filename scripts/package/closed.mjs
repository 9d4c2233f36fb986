/** Ways into a packaged app that its fuses and its window close; each function throws where one is open. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SetupError } from "../setup.mjs";

const unsandboxed = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** JavaScript that leaves a file behind where it runs. */
function trace(work, name) {
  const marker = join(work, name);
  return { code: `require("fs").writeFileSync(${JSON.stringify(marker)}, "")`, ran: () => existsSync(marker) };
}

/** Starts the app a second time, beside one that is open: it hands over and ends. */
const start = (executable, env, args = []) => spawnSync(executable, [...unsandboxed, "--disable-gpu", ...args], { env, encoding: "utf8", timeout: 120_000 });

export function runsAsNode(executable, env, work) {
  const { code, ran } = trace(work, "ran-as-node");
  const { status } = spawnSync(executable, ["-e", code, ...unsandboxed], { env: { ...env, ELECTRON_RUN_AS_NODE: "1" }, timeout: 120_000 });
  if (ran()) throw new SetupError("ELECTRON_RUN_AS_NODE=1 ran JavaScript");
  return `ended with ${status}`;
}

export function takesNodeOptions(executable, env, work) {
  const { code, ran } = trace(work, "required");
  const file = join(work, "required.cjs");
  writeFileSync(file, code);
  const { status } = start(executable, { ...env, NODE_OPTIONS: `--require ${file}` });
  if (ran()) throw new SetupError("NODE_OPTIONS=--require ran JavaScript");
  return `ended with ${status}`;
}

export function opensInspector(executable, env) {
  const { status, stderr, stdout } = start(executable, env, ["--inspect=127.0.0.1:0"]);
  if (/Debugger listening/.test(stderr + stdout)) throw new SetupError("--inspect opened Node's inspector");
  return `ended with ${status}`;
}

/** Electron looks for a folder `app` before the archive, unless a fuse says otherwise. */
export function runsFolder(executable, env, work) {
  const { code, ran } = trace(work, "ran-a-folder");
  const folder = join(dirname(executable), "resources", "app");
  mkdirSync(folder);
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "other", version: "1.0.0", main: "main.js" }));
    writeFileSync(join(folder, "main.js"), `${code}; require("electron").app.exit(0);`);
    const { status } = start(executable, env);
    if (ran()) throw new SetupError(`${folder} ran in place of the archive`);
    return `ended with ${status}`;
  } finally {
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
