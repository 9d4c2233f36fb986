/**
 * The moving picture of the README: `npm run docs:training`. The built workbench trains a real run, and a browser
 * photographs its page as it trains.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright";
import sharp from "sharp";
import { startBrowserWorkbench } from "./browser/harness.ts";
import { launchChromium } from "./support/chromium.ts";

const file = resolve(import.meta.dirname, "../../docs/pictures/training.webp");
/** Part of the page that is photographed. */
const size = { width: 1360, height: 900 };
/** Numbers of steps at which a frame is taken: dense at first, where most happens. */
const total = 1175;
const frames = 26;
const frameSteps = Array.from({ length: frames }, (_, i) => Math.round(total * ((i + 1) / frames) ** 1.4));
const limitBytes = 1_500_000;

const drawnSteps = (page: Page) => page.evaluate(() => (window as unknown as { hypertowerCharts?: Record<string, () => { total: number }> }).hypertowerCharts?.["loss-chart/loss"]?.().total ?? 0);

const browser = await launchChromium();
const harness = await startBrowserWorkbench(browser);
try {
  const { page } = harness;
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.goto(new URL("/#/", page.url()).href);
  await page.getByRole("button", { name: /^Train/ }).click();
  await page.waitForURL(/#\/runs\//);
  await page.getByTestId("loss-chart").waitFor();
  await page.mouse.move(0, 0);
  const taken: Buffer[] = [];
  let at = 0;
  while (taken.length < frames) {
    const steps = await drawnSteps(page);
    if (steps >= frameSteps[at]! || steps >= total) {
      taken.push(await page.screenshot());
      // A quick machine passes several numbers at once: one frame stands for them.
      while (at < frames - 1 && frameSteps[at]! <= steps) at++;
      if (steps >= total) break;
    }
    await page.waitForTimeout(60);
  }
  await page.locator("[data-testid=run-status][data-status=finished]").waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1500);
  taken.push(await page.screenshot());
  const small = await Promise.all(taken.map((frame) => sharp(frame).resize({ width: 960 }).png().toBuffer()));
  const delay = small.map((_, i) => (i === small.length - 1 ? 3500 : 160));
  const picture = await sharp(small, { join: { animated: true } }).webp({ quality: 78, effort: 6, loop: 0, delay, minSize: true }).toBuffer();
  if (picture.length > limitBytes) throw new Error(`the picture has ${picture.length} bytes; at most ${limitBytes} are allowed`);
  writeFileSync(file, picture);
  console.log(`${file}: ${taken.length} frames, ${Math.round(picture.length / 1000)} kB`);
} finally {
  await harness.close();
  await browser.close();
}
