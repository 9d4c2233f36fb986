/** Small deeds in a page that the security tests share. */
import type { Page } from "playwright";

/** Directives against which an inline script, an inline handler and evaluated text offend. */
export const inlineScripts = ["script-src-elem", "script-src-attr", "script-src"];

/** Adds a script element with inline code, as injected markup would; returns whether it ran. */
export function runsInlineScript(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.head.append(script);
    return "injected" in window;
  });
}

/** Adds an element with an inline event handler that fires at once; returns whether it ran. */
export function runsInlineHandler(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const holder = document.createElement("div");
    holder.innerHTML = `<button onclick="window.handled = true">x</button>`;
    document.body.append(holder);
    holder.querySelector("button")?.click();
    holder.remove();
    return "handled" in window;
  });
}

/**
 * Whether code of the page itself (not the test's, which the policy does not bind)
 * may evaluate text: the timer runs after the test's call has ended.
 */
export function runsText(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    // oxlint-disable-next-line typescript/no-implied-eval
    window.setTimeout("window.evaluated = true");
    await new Promise((resolve) => setTimeout(resolve, 50));
    return "evaluated" in window;
  });
}

/** The directives violated while `deed` runs in the page, once all of `expected` are reported. */
export async function violations(page: Page, expected: readonly string[], deed: () => Promise<unknown>): Promise<string[]> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { violated: seen });
    document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
  });
  await deed();
  // Reports are delivered as tasks of their own.
  await page.waitForFunction((all) => all.every((directive) => (window as unknown as { violated: string[] }).violated.includes(directive)), expected);
  return page.evaluate(() => (window as unknown as { violated: string[] }).violated);
}

/** Makes the page load a script and an image, and fetch, from elsewhere; returns what succeeded. */
export function reachesOutside(page: Page, url: string): Promise<string[]> {
  return page.evaluate(async (address) => {
    const succeeded: string[] = [];
    const element = (tag: "script" | "img") =>
      new Promise<void>((resolve) => {
        const made = document.createElement(tag);
        made.onload = () => {
          succeeded.push(tag);
          resolve();
        };
        made.onerror = () => resolve();
        made.src = address;
        document.body.append(made);
      });
    await element("script");
    await element("img");
    await fetch(address, { mode: "no-cors" }).then(
      () => succeeded.push("fetch"),
      () => undefined,
    );
    return succeeded;
  }, url);
}
