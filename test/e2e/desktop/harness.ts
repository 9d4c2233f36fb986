/** The desktop app without Electron: see app.ts and window.ts. */
import type { Browser, Page } from "playwright";
import { freshStore, type Harness } from "../support/harness.ts";
import { startApp, type DesktopApp } from "./app.ts";
import { DesktopWindow } from "./window.ts";

export interface DesktopHarness extends Harness {
  readonly app: DesktopApp;
  readonly window: DesktopWindow;
}

export async function startDesktopApp(browser: Browser): Promise<DesktopHarness> {
  const { storeDir, remove } = freshStore();
  // Without animations, an option is not pressed where it was a moment ago.
  const context = await browser.newContext({ reducedMotion: "reduce" });
  context.setDefaultTimeout(30_000);
  const problems: string[] = [];
  const window = await DesktopWindow.create(context, problems);
  let app: DesktopApp;
  let page: Page;
  /** Of processes that have ended. */
  let log = "";
  await start();

  async function start(): Promise<void> {
    app = window.app = startApp(storeDir, window);
    const ended = app.process.exited.then(() => Promise.reject(new Error(`the app opened no window; it wrote:\n${app.process.output()}`)));
    ended.catch(() => undefined); // it ends some day, and that is no error then
    page = await Promise.race([window.page(), ended]);
  }

  async function kill(): Promise<void> {
    await app.process.kill();
    await window.close();
  }

  async function stop(): Promise<void> {
    const code = await app.process.end();
    log += app.process.output();
    await window.close();
    if (code !== 0) throw new Error(`the app ended with ${String(code)}; it wrote:\n${app.process.output()}`);
  }

  return {
    get page() {
      return page;
    },
    get app() {
      return app;
    },
    window,
    storeDir,
    problems,
    choosePath(path) {
      app.choose(path);
      return Promise.resolve();
    },
    log: () => (app.process.over ? log : log + app.process.output()),
    async restart(how) {
      await (how === "killed" ? kill() : stop());
      await start();
    },
    async close() {
      try {
        if (app.process.child.exitCode === null) await stop();
      } finally {
        await context.close();
        remove();
      }
    },
  };
}
