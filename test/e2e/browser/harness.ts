/** The workbench in a browser: the built `hypertower serve`, and Chromium on its link. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { Running } from "../support/childProcess.ts";
import { followLink, freshStore, watchProblems, type Harness } from "../support/harness.ts";
import { built } from "../support/paths.ts";

export interface Served {
  readonly process: Running;
  /** The one-time link. */
  readonly link: string;
  readonly origin: string;
}

/** Starts the server; port 0 takes any free one. */
export async function serve(storeDir: string, port = 0): Promise<Served> {
  const process_ = new Running(
    fork(built.headless, ["serve", "--port", String(port), "--store", storeDir], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: ["--import", fileURLToPath(new URL("../support/endWithParent.ts", import.meta.url))],
    }),
  );
  const [, link = ""] = await process_.waitFor(/(http:\/\/127\.0\.0\.1:\d+\/\?token=\S+)/);
  return { process: process_, link, origin: new URL(link).origin };
}

export async function startBrowserWorkbench(browser: Browser): Promise<Harness> {
  const { storeDir, remove } = freshStore();
  // Without animations, an option is not pressed where it was a moment ago.
  const context = await browser.newContext({ reducedMotion: "reduce" });
  context.setDefaultTimeout(30_000);
  const problems: string[] = [];
  let served = await serve(storeDir);
  /** Of processes that have ended. */
  let log = "";
  let page = await open(served.link);

  async function open(link: string): Promise<Page> {
    const opened = await context.newPage();
    watchProblems(opened, problems);
    await followLink(opened, link);
    return opened;
  }

  async function stop(): Promise<void> {
    const code = await served.process.end();
    const output = served.process.output();
    log += output;
    if (code !== 0) throw new Error(`the server ended with ${String(code)}; it wrote:\n${output}`);
  }

  return {
    get page() {
      return page;
    },
    storeDir,
    problems,
    log: () => (served.process.over ? log : log + served.process.output()),
    async restart(how) {
      await page.close();
      if (how === "killed") await served.process.kill();
      else await stop();
      // The same port again: what a page keeps belongs to its address.
      served = await serve(storeDir, Number(new URL(served.origin).port));
      page = await open(served.link);
    },
    async close() {
      await context.close();
      try {
        await stop();
      } finally {
        remove();
      }
    },
  };
}
