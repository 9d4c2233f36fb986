/** The built window on the real local server, before services that only pretend to train. */
import { dirname } from "node:path";
import type { Browser, Page } from "playwright";
import { afterEach, beforeAll, beforeEach, expect } from "vitest";
import { startServer } from "../../../src/main/headless/server/index.ts";
import { PretendTraining } from "../../support/pretendTraining.ts";
import { sharedChromium } from "../support/chromium.ts";
import { followLink, watchProblems } from "../support/harness.ts";
import { built } from "../support/paths.ts";

export interface Window {
  readonly page: Page;
  readonly services: PretendTraining;
  /** What went wrong in the page so far. */
  readonly problems: readonly string[];
  /** Breaks the page's connections, as a network does. */
  dropConnections(): Promise<void>;
  close(): Promise<void>;
}

export async function openWindow(browser: Browser): Promise<Window> {
  const services = new PretendTraining();
  const server = await startServer({ services, port: 0, rendererDir: dirname(built.page) });
  // Without animations, an option is not pressed where it was a moment ago.
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const problems: string[] = [];
  watchProblems(page, problems);
  await page.addInitScript(() => {
    const opened: WebSocket[] = [];
    Object.assign(globalThis, {
      openedSockets: opened,
      WebSocket: class extends WebSocket {
        constructor(...given: ConstructorParameters<typeof WebSocket>) {
          super(...given);
          opened.push(this);
        }
      },
    });
  });
  await followLink(page, server.url);
  return {
    page,
    services,
    problems,
    async dropConnections() {
      await page.evaluate(() => {
        for (const socket of (globalThis as unknown as { openedSockets: WebSocket[] }).openedSockets) socket.close();
      });
    },
    async close() {
      await context.close();
      await server.close();
      await services.close();
    },
  };
}

/** A window of its own for every test of a file; a test fails by what went wrong in its page. */
export function windowOfEachTest(): () => Window {
  let browser: Browser;
  let window: Window;
  beforeAll(async () => {
    browser = await sharedChromium();
  });
  beforeEach(async () => {
    window = await openWindow(browser);
  });
  afterEach(async () => {
    await window.close();
    expect(window.problems).toEqual([]);
  });
  return () => window;
}
