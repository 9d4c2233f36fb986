/** The guide under /guide/ of a served workbench: offline, under the content security policy, with search. */
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sharedChromium } from "../support/chromium.ts";
import { watchProblems, type Harness } from "../support/harness.ts";
import { startBrowserWorkbench } from "./harness.ts";

let browser: Browser;
let harness: Harness;
let guide: Page;
const problems: string[] = [];
const requested: string[] = [];

beforeAll(async () => {
  browser = await sharedChromium();
  harness = await startBrowserWorkbench(browser);
  const opened = harness.page.context().waitForEvent("page");
  await harness.page.getByTestId("guide-link").click();
  guide = await opened;
  await guide.waitForLoadState();
  watchProblems(guide, problems);
  guide.on("request", (request) => requested.push(request.url()));
  await guide.reload();
});
afterAll(async () => {
  await harness.close();
});

it("opens from the window, and leads from page to page", async () => {
  expect(new URL(guide.url()).pathname).toBe("/guide/");
  await guide.getByRole("link", { name: "Start in two minutes" }).first().click();
  await guide.waitForURL(/\/guide\/start\.html$/);
  await guide.getByRole("heading", { level: 1, name: /Start in two minutes/ }).waitFor();
  await guide.reload();
  await guide.getByRole("heading", { level: 1, name: /Start in two minutes/ }).waitFor();
});

it("finds words without a server", async () => {
  await guide.keyboard.press("Control+k");
  await guide.locator("#localsearch-input").fill("hypergradient");
  await guide.locator(".VPLocalSearchBox .result").first().waitFor();
  await guide.keyboard.press("Escape");
});

it("colors code and its dark pages by classes, and switches colors", async () => {
  await guide.goto(new URL("/guide/levels.html", guide.url()).href);
  expect(await guide.locator(".vp-code .code-string").count()).toBeGreaterThan(0);
  expect(await guide.locator(".vp-doc [style]").count()).toBe(0);
  // The theme's rules apply, and nothing is wider than the page.
  expect(await guide.locator(".vp-doc h1").evaluate((heading) => parseFloat(getComputedStyle(heading).fontSize))).toBeGreaterThan(24);
  await guide.setViewportSize({ width: 390, height: 800 });
  expect(await guide.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  await guide.setViewportSize({ width: 1280, height: 800 });
  const isDark = () => guide.evaluate(() => document.documentElement.classList.contains("dark"));
  const before = await isDark();
  await guide.evaluate((dark) => localStorage.setItem("vitepress-theme-appearance", dark ? "dark" : "light"), !before);
  await guide.reload();
  expect(await isDark()).toBe(!before);
});

it("breaks no policy and asks nothing of other servers", () => {
  expect(problems).toEqual([]);
  const { origin } = new URL(guide.url());
  expect(requested.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith("data:"))).toEqual([]);
  expect(requested.length).toBeGreaterThan(10);
});

it("is refused without a session, and reads nothing outside its folder", async () => {
  const { origin } = new URL(guide.url());
  expect((await fetch(`${origin}/guide/`)).status).toBe(403);
  const answer = await guide.evaluate(async () => {
    const paths = ["/guide/%2e%2e/main/headless.js", "/guide/..%2fmain%2fheadless.js", "/guide/nothing.html"];
    return Promise.all(paths.map(async (path) => (await fetch(path)).status));
  });
  expect(answer).toEqual([404, 404, 404]);
});
