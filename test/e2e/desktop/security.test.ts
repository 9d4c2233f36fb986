/** The desktop app as hostile markup, other frames and other pages in its window meet it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { contract, type Bridge } from "../../../src/shared/contract.ts";
import { requestChannel } from "../../../src/shared/channels.ts";
import { sharedChromium } from "../support/chromium.ts";
import { inlineScripts, reachesOutside, runsInlineHandler, runsInlineScript, runsText, violations } from "../support/pages.ts";
import { startDesktopApp, type DesktopHarness } from "./harness.ts";

let browser: Browser;
let harness: DesktopHarness;

// Nothing here writes to the store: one app serves all tests.
beforeAll(async () => {
  browser = await sharedChromium();
  harness = await startDesktopApp(browser);
});
afterAll(async () => {
  await harness.close();
});
beforeEach(async () => {
  harness.window.forget();
  const { page } = harness;
  const isIntact = page.url().startsWith(harness.window.address) && page.frames().length === 1;
  if (!isIntact) await page.goto(harness.window.address);
});

interface Reply {
  value?: { ok: boolean; error?: { message: string } };
  error?: string;
}

interface Raw {
  __hypertowerInvoke(channel: string, parameters: unknown[]): Promise<Reply>;
}

/** Sends over the bare IPC, past the preload, as a compromised page would. */
function invoke(frame: { evaluate: DesktopHarness["page"]["evaluate"] }, channel: string, ...parameters: unknown[]): Promise<Reply> {
  return frame.evaluate(([name, values]) => (window as unknown as Raw).__hypertowerInvoke(name, values), [channel, parameters] as const);
}

const list = requestChannel("runs.list");
const mainSources = join(import.meta.dirname, "../../../src/main");

it("is isolated, sandboxed and without Node", async () => {
  const settings = await harness.app.call("appSettings");
  expect(settings).toMatchObject({
    sandbox: true,
    schemes: [{ scheme: "app", privileges: { standard: true, secure: true } }],
    window: {
      webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false, nodeIntegrationInSubFrames: false, webviewTag: false, webSecurity: true, nodeIntegrationInWorker: false, allowRunningInsecureContent: false },
    },
  });
  expect(await harness.page.evaluate(() => typeof (window as unknown as { require?: unknown; process?: unknown }).process)).toBe("undefined");
});

it("shows the page nothing but the contract", async () => {
  const exposed = await harness.page.evaluate(async () => {
    const { hypertower } = window as unknown as { hypertower: { request(name: string, input: unknown): Promise<unknown>; on(name: string, listener: () => void): unknown } };
    const refused = async (deed: () => unknown) => {
      try {
        await deed();
        return "allowed";
      } catch (error) {
        return String(error);
      }
    };
    return {
      keys: Object.keys(hypertower),
      frozen: Object.isFrozen(hypertower),
      request: await refused(() => hypertower.request("runs.erase", {})),
      inherited: await refused(() => hypertower.request("toString", {})),
      event: await refused(() => hypertower.on("run.erased", () => undefined)),
    };
  });
  expect(exposed).toEqual({
    keys: ["request", "on", "dropped", "opened", "onOpening"],
    frozen: true,
    request: "TypeError: there is no request named runs.erase",
    inherited: "TypeError: there is no request named toString",
    event: "TypeError: there is no event named run.erased",
  });
});

it("hands listeners the payload alone, until they unsubscribe", async () => {
  await harness.page.evaluate(() => {
    const { hypertower } = window as unknown as { hypertower: { on(name: string, listener: (...all: unknown[]) => void): () => void } };
    const seen: unknown[][] = [];
    Object.assign(window, { seen, unsubscribe: hypertower.on("store.changed", (...all) => seen.push(all)) });
  });
  const send = () => harness.window.receive("hypertower:event:store.changed", [{}]);
  await send();
  await harness.page.evaluate(() => (window as unknown as { unsubscribe(): void }).unsubscribe());
  await send();
  expect(await harness.page.evaluate(() => (window as unknown as { seen: unknown }).seen)).toEqual([[{}]]);
});

it("has one channel for each request of the contract, and answers no other", async () => {
  for (const name of Object.keys(contract.requests)) {
    const { value, error } = await invoke(harness.page, `hypertower:request:${name}`, "not an input");
    expect(error, name).toBeUndefined();
    expect(value, name).toMatchObject({ ok: false });
  }
  expect((await invoke(harness.page, "hypertower:request:runs.erase", {})).error).toContain("No handler");
});

it("refuses input that the contract does not allow, naming the field", async () => {
  const { value } = await invoke(harness.page, requestChannel("runs.get"), { run: "../../etc/passwd" });
  expect(value?.ok).toBe(false);
  expect(value?.error?.message).toContain("run");
});

it("answers the window's own page", async () => {
  expect((await invoke(harness.page, list, {})).value).toEqual({ ok: true, value: [] });
});

it("refuses a frame inside the page", async () => {
  await harness.page.evaluate(() => document.body.append(document.createElement("iframe")));
  const inner = harness.page.frames().find((frame) => frame.parentFrame() !== null);
  if (!inner) throw new Error("there is no inner frame");
  expect(await invoke(inner, list, {})).toEqual({ error: "this page may not send requests" });
  expect(harness.log()).toContain("refused runs.list");
});

it("refuses a page from elsewhere, should one ever come into the window", async () => {
  const address = "https://elsewhere.invalid/";
  harness.window.foreign.set(address, "<p>elsewhere</p>");
  await harness.page.goto(address);
  expect(await invoke(harness.page, list, {})).toEqual({ error: "this page may not send requests" });
});

it("reads no file that the person did not choose", async () => {
  const preview = () => invoke(harness.page, requestChannel("datasets.preview"), { path: secret });
  const secret = join(harness.storeDir, "secret.csv");
  writeFileSync(secret, "1,2\n3,4\n");
  expect((await preview()).value).toMatchObject({ ok: false, error: { message: expect.stringContaining("may not be read from this window") as string } });
  // A file that the page made itself has no path, whatever its name.
  expect(await harness.page.evaluate((path) => (window as unknown as { hypertower: Bridge }).hypertower.dropped!(new File(["1,2"], path)), secret)).toBeNull();
  expect((await preview()).value).toMatchObject({ ok: false });
  harness.app.choose(secret);
  expect((await invoke(harness.page, requestChannel("datasets.choose"), { what: "file" })).value).toEqual({ ok: true, value: secret });
  expect((await preview()).value).toMatchObject({ ok: true });
});

it("does not navigate away", async () => {
  const before = harness.page.url();
  await harness.page.evaluate(() => {
    const link = document.createElement("a");
    link.href = "https://elsewhere.invalid/by-link";
    document.body.append(link);
    link.click();
  });
  await expect.poll(() => harness.window.refusedNavigations).toEqual(["https://elsewhere.invalid/by-link"]);
  await harness.page.evaluate(() => location.assign("https://elsewhere.invalid/by-script"));
  await expect.poll(() => harness.window.refusedNavigations).toHaveLength(2);
  expect(harness.page.url()).toBe(before);
  expect(await harness.page.locator("#app").count()).toBe(1);
});

it("opens no second window", async () => {
  const opened = await harness.page.evaluate(() => {
    const link = document.createElement("a");
    link.href = "https://elsewhere.invalid/";
    link.target = "_blank";
    document.body.append(link);
    link.click();
    return window.open("about:blank") !== null;
  });
  expect(opened).toBe(true); // the stub's browser opens it before the app is asked
  await expect.poll(() => harness.window.refusedWindows.length).toBeGreaterThan(0);
  await expect.poll(() => harness.page.context().pages().length).toBe(1);
});

it("attaches no guests and grants no permissions", async () => {
  expect(await harness.app.call("attachWebview", { url: "app://hypertower/" })).toBe(true);
  for (const name of ["geolocation", "media", "notifications", "openExternal", "clipboard-read"]) {
    expect(await harness.app.call("permission", { name }), name).toEqual({ request: false, check: false });
  }
});

it("hands no address to the system's programs", () => {
  // It shows the folder of the store, whose path no page gives, and opens a link of the guide after asking.
  const used = readdirSync(mainSources, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => readFileSync(join(mainSources, name), "utf8").match(/\bshell\.\w+\([^)]*\)|openExternal|remoteModule|insertCSS|executeJavaScript/g) ?? []);
  expect(used).toEqual(["shell.openExternal(address)", "shell.openPath(storeDir)"]);
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

it("reaches nothing outside, by policy and by the app's own filter", async () => {
  expect(await reachesOutside(harness.page, "https://elsewhere.invalid/x.js")).toEqual([]);
  for (const url of ["https://elsewhere.invalid/", "http://127.0.0.1/", "wss://elsewhere.invalid/", "file:///etc/passwd"]) {
    expect(await harness.app.call("allowed", { url }), url).toBe(false);
  }
  expect(await harness.app.call("allowed", { url: "app://hypertower/" })).toBe(true);
});

it("serves its own files and nothing beside them", async () => {
  const request = async (url: string, method = "GET") => (await harness.app.call("request", { url, method })) as { status: number; headers: Record<string, string>; body: Buffer };
  const home = await request("app://hypertower/");
  expect(home.status).toBe(200);
  expect(home.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(home.headers["content-type"]).toContain("text/html");
  for (const url of [
    "app://hypertower/..%2f..%2fpackage.json",
    "app://hypertower/%2e%2e/%2e%2e/package.json",
    "app://hypertower/..%5c..%5cpackage.json",
    "app://hypertower/assets/..%2f..%2f..%2fpackage.json",
    "app://hypertower/%00",
    "app://other/index.html",
  ]) {
    const { status, headers, body } = await request(url);
    expect(status, url).toBe(404);
    expect(String(body), url).not.toContain('"dependencies"');
    expect(headers["content-security-policy"], url).toContain("default-src 'none'");
  }
  expect((await request("app://hypertower/", "POST")).status).toBe(405);
});
