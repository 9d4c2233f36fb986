/**
 * Chromium as the app's window. Pages come from the app's own protocol handler, IPC
 * goes to its own handlers together with the frame that sent it, navigation and new
 * windows are put to its own listeners, and its built preload runs in the page.
 */
import { readFileSync } from "node:fs";
import type { BrowserContext, Frame, Page, Request, Route } from "playwright";
import { messageOf } from "../../../src/shared/errors.ts";
import { watchProblems } from "../support/harness.ts";
import type { DesktopApp, WindowHost } from "./app.ts";
import { runPreload } from "./rendererStub.ts";

/** Chromium opens no custom schemes: this origin stands for app://hypertower. */
const pageOrigin = "https://hypertower.invalid";
const appOrigin = "app://hypertower";

function toApp(url: string): string {
  return url === pageOrigin || url.startsWith(`${pageOrigin}/`) ? appOrigin + url.slice(pageOrigin.length) : url;
}

function toPage(url: string): string {
  return url.startsWith(`${appOrigin}/`) ? pageOrigin + url.slice(appOrigin.length) : url;
}

interface PageWithStub {
  __hypertowerReceive(channel: string, parameters: readonly unknown[]): void;
}

interface Served {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export class DesktopWindow implements WindowHost {
  /** The app behind the window; set when it is started. */
  app: DesktopApp | null = null;
  /** Pages outside the app, by address: served past every guard, as a compromised window would show them. */
  readonly foreign = new Map<string, string>();
  refusedNavigations: string[] = [];
  refusedWindows: string[] = [];
  /** Where the window's page is found in Chromium. */
  readonly address = `${pageOrigin}/`;
  readonly #context: BrowserContext;
  readonly #problems: string[];
  #page: Page | null = null;
  #guide: Page | null = null;
  /** Address of the latest page that a link asked to open. */
  #wanted = "";
  #opened = Promise.withResolvers<Page>();

  private constructor(context: BrowserContext, problems: string[]) {
    this.#context = context;
    this.#problems = problems;
  }

  static async create(context: BrowserContext, problems: string[]): Promise<DesktopWindow> {
    const window = new DesktopWindow(context, problems);
    await context.exposeBinding("__hypertowerInvoke", ({ frame }, channel: string, parameters: unknown[]) => window.#invoke(frame, channel, parameters));
    await context.route("**/*", async (route) => {
      try {
        await window.#answer(route);
      } catch (error) {
        // The window may be gone by the time its last requests are answered.
        await route.abort().catch(() => undefined);
        if (window.app?.process.child.connected) problems.push(`the harness could not answer ${route.request().url()}: ${String(error)}`);
      }
    });
    context.on("page", (page) => void window.#newPage(page));
    return window;
  }

  /** The window's page, once the app has opened it. */
  page(): Promise<Page> {
    return this.#opened.promise;
  }

  /** Forgets what was refused so far. */
  forget(): void {
    this.refusedNavigations = [];
    this.refusedWindows = [];
  }

  /** To be called when the app has ended: the next one opens its own window. */
  async close(): Promise<void> {
    await this.#page?.close();
    this.#page = null;
    this.#opened = Promise.withResolvers<Page>();
  }

  /** The guide's page, where it is open. */
  get guide(): Page | null {
    return this.#guide?.isClosed() === false ? this.#guide : null;
  }

  async load(url: string, preload: string | undefined): Promise<void> {
    const page = await this.#context.newPage();
    watchProblems(page, this.#problems);
    if (preload === undefined) {
      this.#guide = page;
      await page.goto(toPage(url));
      return;
    }
    // Electron runs a preload in the top frame only.
    await page.addInitScript(`if (window.top === window) (${runPreload.toString()})((require) => {\n${readFileSync(preload, "utf8")}\n});`);
    this.#page = page;
    await page.goto(toPage(url));
    this.#opened.resolve(page);
  }

  async receive(channel: string, parameters: readonly unknown[]): Promise<void> {
    // A message to a page on its way to another document is lost, as in Electron.
    await this.#page
      ?.evaluate(([name, values]) => (window as unknown as PageWithStub).__hypertowerReceive(name, values), [channel, parameters] as const)
      .catch(() => undefined);
  }

  async reload(): Promise<void> {
    await this.#page?.reload();
  }

  async #invoke(frame: Frame, channel: string, parameters: unknown[]): Promise<{ value?: unknown; error?: string }> {
    try {
      return { value: await this.#ask("invoke", { channel, parameters, frame: describe(frame) }) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  async #newPage(page: Page): Promise<void> {
    const opener = await page.opener();
    if (opener === null) return;
    const url = page.url() === "about:blank" || page.url().startsWith("chrome-error:") ? this.#wanted : toApp(page.url());
    if ((await this.#ask("openWindow", { url, isGuide: opener === this.#guide })) === "deny") {
      this.refusedWindows.push(url);
      await page.close();
    }
  }

  async #answer(route: Route): Promise<void> {
    const request = route.request();
    const url = toApp(request.url());
    const foreign = this.foreign.get(url);
    if (foreign !== undefined) return route.fulfill({ contentType: "text/html", body: foreign });

    if (request.isNavigationRequest()) {
      const frame = frameOf(request);
      // Requests of new windows; whether there may be one is decided in #newPage().
      const isGuide = frame !== null && frame.page() === this.#guide;
      if (!isGuide && frame?.page() !== this.#page) {
        this.#wanted = url;
        return route.abort("blockedbyclient");
      }
      const isMainFrame = frame.parentFrame() === null;
      const isFirst = isMainFrame && frame.url() === "about:blank";
      if (!isFirst && (await this.#ask("navigate", { url, isMainFrame, isGuide }))) {
        this.refusedNavigations.push(url);
        return route.abort("aborted");
      }
    }
    if (!(await this.#ask("allowed", { url }))) return route.abort("blockedbyclient");
    if (!url.startsWith(`${appOrigin}/`)) return route.abort("namenotresolved");
    const { status, headers, body } = (await this.#ask("request", { url, method: request.method() })) as Served;
    return route.fulfill({ status, headers, body });
  }

  #ask(method: string, argument: unknown): Promise<unknown> {
    if (!this.app) throw new Error("there is no app behind the window");
    return this.app.call(method, argument);
  }
}

/** Null while a new page's frame is not known yet. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}

/** A frame as Electron's WebFrameMain describes it. */
function describe(frame: Frame): { url: string; origin: string; parent: object | null } {
  const parent = frame.parentFrame();
  const url = toApp(frame.url());
  return { url, origin: originOf(frame), parent: parent && describe(parent) };
}

function originOf(frame: Frame): string {
  const parent = frame.parentFrame();
  if (frame.url().startsWith("about:") && parent) return originOf(parent);
  const { origin } = new URL(frame.url());
  return origin === pageOrigin ? appOrigin : origin;
}
