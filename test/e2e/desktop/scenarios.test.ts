import type { Browser } from "playwright";
import { afterAll, beforeAll, describe } from "vitest";
import { defineScenarios, ofTheHost, ofTheWindow } from "../scenarios/index.ts";
import { everything } from "../../support/edition.ts";
import { launchChromium } from "../support/chromium.ts";
import { startDesktopApp } from "./harness.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe("in the desktop app, under the stub", () => defineScenarios(everything ? { ...ofTheHost, ...ofTheWindow } : ofTheHost, () => startDesktopApp(browser)));
