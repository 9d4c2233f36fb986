/** Files and links that the system hands to the running app, as a second start does. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
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

const open = (...items: string[]) => harness.app.call("secondStart", { items, folder: harness.storeDir });
const hash = () => new URL(harness.page.url()).hash;

it("opens pages, asks before it fills a form or imports, and says what it refuses", async () => {
  const { page } = harness;
  await open("hypertower://engines");
  await expect.poll(hash).toBe("#/engines");
  await harness.app.call("openUrl", { link: "hypertower://storage" });
  await expect.poll(hash).toBe("#/storage");

  writeFileSync(join(harness.storeDir, "mine.hypertower"), JSON.stringify({ dataset: { kind: "digits" }, seed: 77, name: "From a file" }));
  await open("mine.hypertower", "hypertower://runs/../storage");
  await page.getByText("The link could not be opened").waitFor();
  await page.getByTestId("opened-dialog").getByText("mine.hypertower").waitFor();
  // Nothing has happened yet.
  expect(hash()).toBe("#/storage");
  await page.getByTestId("opened-confirm").click();
  await expect.poll(hash).toBe("#/");
  await page.getByText("Experiment imported.").waitFor();

  const archive = Buffer.alloc(1024);
  archive.write("hypertower.json");
  archive.write("ustar", 257);
  writeFileSync(join(harness.storeDir, "damaged.hypertower"), archive);
  await open("damaged.hypertower");
  await page.getByTestId("opened-confirm").click();
  await page.getByTestId("opened-problem").getByText("Nothing was imported").waitFor();
  await page.getByTestId("opened-cancel").click();
  await page.getByTestId("opened-dialog").waitFor({ state: "detached" });
  expect(harness.problems).toEqual([]);
});
