/** Drives a packaged app from outside, over Chromium's debugging port: its fuses leave no other way. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright";
import { SetupError } from "../setup.mjs";

/** A display for programs that need one; the machine's own where there is one. @returns {Promise<{ env: object, end(): void }>} */
export async function display() {
  if (process.platform !== "linux" || process.env.DISPLAY) return { env: {}, end: () => undefined };
  const child = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1440x900x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  child.once("error", () => undefined);
  const number = await Promise.race([once(child.stdio[3], "data").then(([data]) => String(data).trim()), once(child, "exit").then(() => "")]);
  if (number === "") throw new SetupError("Xvfb did not start: the packaged app needs a display (Debian: apt-get install xvfb).");
  return { env: { DISPLAY: `:${number}` }, end: () => child.kill() };
}

/** Rejects after so many milliseconds. */
async function within(limit, what, promise) {
  const stop = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(limit, undefined, { signal: stop.signal }).then(() => {
        throw new SetupError(`${what} took more than ${limit / 1000} s`);
      }),
    ]);
  } finally {
    stop.abort();
  }
}

export class DrivenApp {
  output = "";
  #child;
  #browser;
  page;

  /** @param {{ executable: string, env: NodeJS.ProcessEnv, args?: string[] }} options */
  static async start({ executable, env, args = [] }) {
    const app = new DrivenApp();
    const asRoot = process.getuid?.() === 0;
    const child = (app.#child = spawn(executable, [...(asRoot ? ["--no-sandbox"] : []), "--disable-gpu", "--remote-debugging-port=0", ...args], { env, stdio: ["ignore", "pipe", "pipe"] }));
    const listening = Promise.withResolvers();
    const read = (chunk) => {
      app.output += chunk;
      const address = /DevTools listening on (ws:\S+)/.exec(app.output)?.[1];
      if (address) listening.resolve(address);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => listening.reject(error));
    child.once("exit", (code) => listening.reject(new SetupError(`the packaged app ended with ${code}; it wrote:\n${app.output}`)));
    try {
      const address = await within(180_000, "The start of the packaged app", listening.promise);
      app.#browser = await chromium.connectOverCDP(address, { noDefaults: true });
      app.page = await within(180_000, "The window of the packaged app", app.#firstPage());
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return app;
  }

  async #firstPage() {
    for (;;) {
      const page = this.#browser.contexts().flatMap((context) => context.pages()).find((one) => one.url().startsWith("app://"));
      if (page) return page;
      await delay(200);
    }
  }

  /** Asks the app to end, as the system does. @returns {Promise<number | null>} its exit code */
  async end() {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exited = once(this.#child, "exit");
    await this.#browser?.close().catch(() => undefined);
    this.#child.kill("SIGTERM");
    try {
      const [code] = await within(90_000, "Closing the packaged app", exited);
      return code;
    } catch (error) {
      this.#child.kill("SIGKILL");
      throw error;
    }
  }
}

/** Starts the app a second time, which hands over its arguments and ends. @returns {Promise<number | null>} its exit code */
export async function startAgain(executable, env, args) {
  const asRoot = process.getuid?.() === 0;
  const child = spawn(executable, [...(asRoot ? ["--no-sandbox"] : []), "--disable-gpu", ...args], { env, stdio: "ignore" });
  const [code] = await within(180_000, "The second start", once(child, "exit"));
  return code;
}
