/** The desktop app in Electron itself, where its binary is at hand. */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { _electron, type ElectronApplication, type Page } from "playwright";
import { expect } from "vitest";
import { freshStore, watchProblems, type Harness, type SavedFile } from "../support/harness.ts";
import { built, root } from "../support/paths.ts";

const names: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" };

/**
 * Playwright's own module that holds the app back until Playwright is connected. It is left out where the program is named,
 * and a window that opens meanwhile may be missed.
 */
const loader = join(dirname(createRequire(import.meta.url).resolve("playwright-core/package.json")), "lib/server/electron/loader.js");

/** Chromium refuses to sandbox processes of root. */
export const isSandboxed = process.getuid?.() !== 0;

/** Where Electron is, or why the tests cannot use it. */
export function findElectron(): { path: string } | { problem: string } {
  const named = process.env["ELECTRON_OVERRIDE_DIST_PATH"];
  const recorded = join(root, "node_modules/electron/path.txt");
  const name = existsSync(recorded) ? readFileSync(recorded, "utf8").trim() : (names[process.platform] ?? "electron");
  const path = join(named ?? join(root, "node_modules/electron/dist"), name);
  if (!existsSync(path)) return { problem: `there is no Electron at ${path}; \`npx install-electron\` downloads it` };
  if (process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"]) {
    return { problem: "Electron needs a display; `npm run test:desktop` gives it one" };
  }
  return { path };
}

export interface ElectronHarness extends Harness {
  readonly app: ElectronApplication;
  /** Of the app's own process. */
  readonly pid: number;
  /** Waits for the end. @returns the exit code */
  ended(): Promise<number | null>;
  /** Sends a signal and waits for the end. @returns the exit code */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface ElectronOptions {
  /** Switches of Chromium's for the app's command line. */
  readonly switches?: readonly string[];
}

export async function startElectronApp(executablePath: string, { switches = [] }: ElectronOptions = {}): Promise<ElectronHarness> {
  const { storeDir, remove } = freshStore();
  const saved = mkdtempSync(join(tmpdir(), "hypertower-saved-"));
  const problems: string[] = [];
  let log = "";
  let app: ElectronApplication;
  /** Playwright forgets it when the app has ended. */
  let child: ChildProcess;
  let page: Page;
  let downloads = 0;
  await start();

  async function start(): Promise<void> {
    app = await _electron.launch({
      executablePath,
      args: ["-r", loader, ...(isSandboxed ? [] : ["--no-sandbox"]), "--disable-gpu", ...switches, built.desktop],
      // Without this, Playwright adds --no-sandbox.
      chromiumSandbox: isSandboxed,
      timeout: 120_000,
      env: { ...(process.env as Record<string, string>), HYPERTOWER_HOME: storeDir },
    });
    child = app.process();
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    page = await app.firstWindow();
    page.setDefaultTimeout(60_000);
    downloads = 0;
    await app.evaluate(saveWithoutAsking, saved);
    watchProblems(page, problems);
  }

  function ended(): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the app did not end; it wrote:\n${log}`)), 60_000);
      child.once("exit", (code) => {
        clearTimeout(late);
        resolve(code);
      });
    });
  }

  async function end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const over = ended();
    // Unlike a closed window, a signal is not answered with a question.
    child.kill(signal);
    return over;
  }

  return {
    get page() {
      return page;
    },
    get app() {
      return app;
    },
    storeDir,
    problems,
    get pid() {
      return child.pid!;
    },
    ended,
    end,
    choosePath: (path) => app.evaluate(({ dialog }, chosen) => void (dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })), path),
    async nextDownload() {
      const index = downloads++;
      const stateOf = () => app.evaluate((_electron, at) => (globalThis as unknown as WithDownloads).downloads[at] ?? null, index);
      await expect.poll(async () => (await stateOf())?.state ?? "none", { message: "the state of the download" }).toBe("completed");
      return (await stateOf())!;
    },
    log: () => log,
    async restart(how) {
      await end(how === "killed" ? "SIGKILL" : "SIGTERM");
      await start();
    },
    async close() {
      try {
        if (child.exitCode === null && child.signalCode === null) await end();
      } finally {
        child.kill("SIGKILL");
        remove();
        rmSync(saved, { recursive: true, force: true });
      }
    },
  };
}

interface Download extends SavedFile {
  state: string;
}

interface WithDownloads {
  downloads: Download[];
}

/** Runs in the app. Playwright has no event for Electron's downloads, and a dialog would ask for the place. */
function saveWithoutAsking({ session }: typeof Electron.CrossProcessExports, folder: string): void {
  const all: Download[] = ((globalThis as unknown as WithDownloads).downloads = []);
  session.defaultSession.on("will-download", (_event, item) => {
    const download: Download = { name: item.getFilename(), path: `${folder}/${Date.now()}-${all.length}`, state: "progressing" };
    all.push(download);
    item.setSavePath(download.path);
    item.once("done", (_done, state) => (download.state = state));
  });
}
