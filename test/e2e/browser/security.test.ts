/** The browser workbench as other pages, other browsers and hostile markup meet it. */
import { createServer, type Server } from "node:http";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sharedChromium } from "../support/chromium.ts";
import type { Harness } from "../support/harness.ts";
import { inlineScripts, reachesOutside, runsInlineHandler, runsInlineScript, runsText, violations } from "../support/pages.ts";
import { serve, startBrowserWorkbench } from "./harness.ts";

let browser: Browser;
let harness: Harness;
/** Another server on this machine, whose pages are open in the same browser. */
let other: Server;
let otherOrigin: string;

// Nothing here writes to the store: one workbench and one page serve all tests.
beforeAll(async () => {
  browser = await sharedChromium();
  harness = await startBrowserWorkbench(browser);
  other = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<p>elsewhere</p>"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  otherOrigin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await harness.close();
  other.close();
});
it("leads from the link to the workbench, and takes the token out of the address", async () => {
  expect(harness.page.url()).not.toContain("token");
  expect(await harness.page.locator("#app").innerText()).not.toBe("");
  const cookies = await harness.page.context().cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
});

it("opens from a file that the system's browser is started with, and gives a second browser nothing", async () => {
  const second = await serve(`${harness.storeDir}/second`);
  const file = `${harness.storeDir}/open.html`;
  writeFileSync(file, `<meta http-equiv="refresh" content="0; url=${second.link}">`);
  const [first, another] = [await browser.newContext(), await browser.newContext()];
  const opened = await first.newPage();
  await opened.goto(`file://${file}`);
  await opened.getByTestId("experiment-name").waitFor();
  expect(await opened.getByTestId("connection-banner").count()).toBe(0);

  const page = await another.newPage();
  const refused = await page.goto(second.link);
  expect(refused?.status()).toBe(403);
  expect(await page.innerText("body")).toContain("new link");
  expect(await another.cookies()).toEqual([]);
  await first.close();
  await another.close();
  expect(await second.process.end()).toBe(0);
});

it("opens no socket to another program that came to see the cookie", async () => {
  const page = harness.page;
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const { host, origin } = new URL(page.url());
  const attempt = (protocols: string[]) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://${host}/ws`, { protocols, headers: { cookie: cookies, origin } } as never);
      socket.onopen = () => (socket.close(), resolve("open"));
      socket.onerror = () => resolve("refused");
    });
  expect(await attempt([])).toBe("refused");
  expect(await attempt(["hypertower"])).toBe("refused");
  const key = await page.evaluate(() => localStorage.getItem("hypertower-key"));
  expect(await attempt(["hypertower", `key.${key}`])).toBe("open");
});

it("keeps injected markup from running", async () => {
  const { page } = harness;
  const violated = await violations(page, inlineScripts, async () => {
    expect(await runsInlineScript(page)).toBe(false);
    expect(await runsInlineHandler(page)).toBe(false);
    expect(await runsText(page)).toBe(false);
  });
  expect(violated).toEqual(inlineScripts);
});

it("lets the page reach nothing but its server", async () => {
  expect(await reachesOutside(harness.page, `${otherOrigin}/x.js`)).toEqual([]);
});

it("cannot be framed, read or connected to by another page", async () => {
  const { page } = harness;
  const workbench = new URL(page.url()).origin;
  const stranger = await page.context().newPage();
  await stranger.goto(otherOrigin);
  const outcome = await stranger.evaluate(async (address) => {
    const read = await fetch(address, { credentials: "include" }).then(
      () => "read",
      () => "refused",
    );
    const socket = await new Promise<string>((resolve) => {
      const attempt = new WebSocket(`${address.replace("http", "ws")}/ws`);
      attempt.onopen = () => resolve("open");
      attempt.onerror = () => resolve("refused");
    });
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
    await new Promise((resolve) => (frame.onload = resolve));
    return { read, socket };
  }, workbench);
  expect(outcome).toEqual({ read: "refused", socket: "refused" });
  const framed = stranger.frames().find((frame) => frame.parentFrame() !== null);
  expect(framed?.url()).toMatch(/^chrome-error:/);
});
