/** A browser whose server goes away and comes back. */
import type { Browser } from "playwright";
import { beforeAll, expect, it } from "vitest";
import { configure } from "../scenarios/workbench.ts";
import { sharedChromium } from "../support/chromium.ts";
import { followLink, freshStore } from "../support/harness.ts";
import { serve } from "./harness.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

it("says that the connection is lost, and is whole again once a new link was opened", async () => {
  const { storeDir, remove } = freshStore();
  const first = await serve(storeDir);
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  await followLink(page, first.link);
  await configure(page, { name: "not lost" });
  const banner = page.getByTestId("connection-banner");
  expect(await banner.count()).toBe(0);

  await first.process.kill();
  await banner.waitFor();
  const second = await serve(storeDir, Number(new URL(first.origin).port));
  const other = await context.newPage();
  await followLink(other, second.link);
  await other.close();
  await banner.waitFor({ state: "detached", timeout: 90_000 });
  expect(await page.getByTestId("experiment-name").inputValue()).toBe("not lost");

  await context.close();
  expect(await second.process.end()).toBe(0);
  remove();
});
