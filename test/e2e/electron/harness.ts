/** The desktop app in Electron itself, where its binary is at hand. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { _electron, type ElectronApplication, type Page } from "playwright";
import { freshStore, watchProblems, type Harness } from "../support/harness.ts";
import { built, root } from "../support/paths.ts";

const names: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" };

/** Where Electron is, or why the tests cannot use it. */
export function findElectron(): { path: string } | { problem: string } {
  const folder = process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(root, "node_modules/electron/dist");
  const recorded = join(root, "node_modules/electron/path.txt");
  const name = existsSync(recorded) ? readFileSync(recorded, "utf8").trim() : (names[process.platform] ?? "electron");
  const path = join(folder, name);
  if (!existsSync(path)) return { problem: `there is no Electron at ${path}; \`npx install-electron\` downloads it` };
  if (process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"]) {
    return { problem: "Electron needs a display; `xvfb-run npm run test:e2e` gives it one" };
  }
  return { path };
}

export async function startElectronApp(executablePath: string): Promise<Harness> {
  const { storeDir, remove } = freshStore();
  const problems: string[] = [];
  let log = "";
  let app: ElectronApplication;
  let page: Page;
  await start();

  async function start(): Promise<void> {
    const asRoot = process.getuid?.() === 0;
    app = await _electron.launch({
      executablePath,
      args: [...(asRoot ? ["--no-sandbox"] : []), built.desktop],
      env: { ...(process.env as Record<string, string>), HYPERTOWER_HOME: storeDir },
    });
    for (const stream of [app.process().stdout, app.process().stderr]) stream?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    page = await app.firstWindow();
    page.setDefaultTimeout(30_000);
    watchProblems(page, problems);
  }

  async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const closed = app.waitForEvent("close");
    // Unlike a closed window, a signal is not answered with a question.
    app.process().kill(signal);
    await closed;
  }

  return {
    get page() {
      return page;
    },
    storeDir,
    problems,
    choosePath: (path) => app.evaluate(({ dialog }, chosen) => void (dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })), path),
    log: () => log,
    async restart(how) {
      await stop(how === "killed" ? "SIGKILL" : "SIGTERM");
      await start();
    },
    async close() {
      try {
        await stop();
      } finally {
        remove();
      }
    },
  };
}
