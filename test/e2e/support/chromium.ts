/** Chromium for the tests: Debian's, or the one named by CHROMIUM_PATH. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright";

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Path of the browser; throws with the command that installs one. */
export function chromiumPath(): string {
  const named = process.env["CHROMIUM_PATH"];
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, which does not exist`);
    return named;
  }
  const found = [...candidates, chromium.executablePath()].find((path) => existsSync(path));
  if (!found) {
    throw new Error(
      "the end-to-end tests need Chromium: `apt-get install chromium` (Debian, Ubuntu) or `npx playwright install chromium`, or name one in CHROMIUM_PATH",
    );
  }
  return found;
}

let ofWorker: Promise<Browser> | null = null;

/** The browser of this test worker: launched once, shared by its files, ended with the process. Every test opens a context of its own. */
export function sharedChromium(): Promise<Browser> {
  return (ofWorker ??= launchChromium());
}

export function launchChromium(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(asRoot ? ["--no-sandbox"] : []),
    ],
  });
}
