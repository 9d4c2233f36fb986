/** Help > Guide of the desktop app: a window without a bridge, whose links outside are opened after asking. */
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { everything } from "../../support/edition.ts";
import { sharedChromium } from "../support/chromium.ts";
import { startDesktopApp, type DesktopHarness } from "./harness.ts";

let browser: Browser;
let harness: DesktopHarness;

beforeAll(async () => {
  browser = await sharedChromium();
  harness = await startDesktopApp(browser);
});
afterAll(async () => {
  await harness.close();
});

async function guidePage() {
  await expect.poll(() => harness.window.guide).not.toBeNull();
  const page = harness.window.guide!;
  await page.locator(".VPNav").waitFor();
  return page;
}

it("opens from the menu, without a preload and its bridge", async () => {
  await harness.app.call("chooseInMenu", { label: "Guide" });
  const page = await guidePage();
  expect(new URL(page.url()).pathname).toBe("/guide/");
  const { guide } = (await harness.app.call("appSettings")) as { guide: { webPreferences: Record<string, unknown> } };
  expect(guide.webPreferences).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false });
  expect(guide.webPreferences).not.toHaveProperty("preload");
  expect(await page.evaluate(() => "hypertower" in window)).toBe(false);
  expect(harness.problems).toEqual([]);
});

it("opens an outside link only after asking", async () => {
  const page = await guidePage();
  const follow = (href: string) =>
    page.evaluate((address) => {
      const link = document.createElement("a");
      link.href = address;
      link.target = "_blank";
      document.body.append(link);
      link.click();
    }, href);
  await follow("https://elsewhere.invalid/paper");
  await expect.poll(() => harness.app.messageBoxes.length).toBe(1);
  expect(harness.app.messageBoxes[0]).toMatchObject({ detail: "https://elsewhere.invalid/paper", buttons: ["Cancel", "Open in Browser"] });
  expect(harness.app.openedOutside).toEqual([]);
  harness.app.press("Open in Browser");
  await follow("https://elsewhere.invalid/paper");
  await expect.poll(() => harness.app.openedOutside).toEqual(["https://elsewhere.invalid/paper"]);
  // The guide itself goes nowhere else.
  await page.evaluate(() => location.assign("https://elsewhere.invalid/"));
  await expect.poll(() => harness.window.refusedNavigations).toEqual(["https://elsewhere.invalid/"]);
});

it.runIf(everything)("closes alone, opens again from the workbench's link, and ends with the workbench", async () => {
  await harness.window.guide?.close();
  await harness.app.call("closeGuide");
  expect(harness.app.process.over).toBe(false);
  await harness.page.getByTestId("guide-link").click();
  await guidePage();
});
