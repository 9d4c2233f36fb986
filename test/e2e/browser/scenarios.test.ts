import type { Browser } from "playwright";
import { afterAll, beforeAll, describe } from "vitest";
import { defineScenarios, ofTheHost } from "../scenarios/index.ts";
import { launchChromium } from "../support/chromium.ts";
import { startBrowserWorkbench } from "./harness.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe("in a browser", () => defineScenarios(ofTheHost, () => startBrowserWorkbench(browser)));
