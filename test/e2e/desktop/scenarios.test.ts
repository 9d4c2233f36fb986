import type { Browser } from "playwright";
import { beforeAll, describe } from "vitest";
import { defineScenarios, ofFiles, ofTheHost, ofTheWindow } from "../scenarios/index.ts";
import { everything } from "../../support/edition.ts";
import { sharedChromium } from "../support/chromium.ts";
import { startDesktopApp } from "./harness.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

// training.test.ts shows live charts, restarts and dead trainers of the app; the other scenarios differ from a browser's only in Electron itself.
describe("in the desktop app, under the stub", () => defineScenarios(everything ? { ...ofTheHost, ...ofTheWindow } : ofFiles, () => startDesktopApp(browser)));
