import type { Browser } from "playwright";
import { beforeAll, describe } from "vitest";
import { defineScenarios, ofTheHost } from "../scenarios/index.ts";
import { sharedChromium } from "../support/chromium.ts";
import { startBrowserWorkbench } from "./harness.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});

describe("in a browser", () => defineScenarios(ofTheHost, () => startBrowserWorkbench(browser)));
