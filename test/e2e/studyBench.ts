/**
 * How fast the window shows a study of about 1,000 runs: opening it, asking another question, and staying
 * responsive while runs end. `npm run bench:window`; it needs a build and Chromium. Results of runs are made up,
 * so what is measured is the window, its connection, and drawing.
 */
import { dirname } from "node:path";
import type { Page } from "playwright";
import { startServer } from "../../src/main/headless/server/index.ts";
import { studyPresets } from "../../src/shared/study/presets.ts";
import { launchChromium } from "./support/chromium.ts";
import { built } from "./support/paths.ts";
import { PretendTraining } from "../support/pretendTraining.ts";

const seeds = 23;
const repeats = 5;

interface ProbedWindow {
  hypertowerCharts: Readonly<Record<string, () => { total: number }>>;
  longTasks: number[];
  long: PerformanceObserver;
}

/** Milliseconds from `act` until the headline picture stands on `runs` runs and has been painted. */
async function until(page: Page, runs: number, act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  await page.waitForFunction(
    (wanted) => {
      const charts = (globalThis as unknown as ProbedWindow).hypertowerCharts;
      const drawn = Object.entries(charts).filter(([key]) => key.startsWith("headline-chart/"));
      return drawn.reduce((sum, [, read]) => sum + read().total, 0) >= wanted;
    },
    runs,
    { polling: "raf" },
  );
  // Two frames: the one that draws, and the one after which it is on screen.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  return performance.now() - start;
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const said = (what: string, value: number, unit = "ms") => console.log(`${what.padEnd(62)} ${value.toFixed(0).padStart(6)} ${unit}`);

const services = new PretendTraining();
services.runsPerTick = 0;
const figure = studyPresets.find(({ name }) => name === "figure4a")!.study;
const { id, total } = services.studies.start({ ...figure, seeds: Array.from({ length: seeds }, (_, seed) => seed) });
const half = Math.floor(total / 2);
services.studies.advance(id, half);

const server = await startServer({ services, port: 0, rendererDir: dirname(built.page) });
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(server.url);
await page.waitForURL((url) => url.search === "");
await page.getByTestId("nav-studies").click();
await page.evaluate(() => {
  const probed = globalThis as unknown as ProbedWindow;
  probed.longTasks = [];
  probed.long = new PerformanceObserver((list) => probed.longTasks.push(...list.getEntries().map(({ duration }) => duration)));
  probed.long.observe({ type: "longtask" });
});
const longest = async () => Math.max(0, ...(await page.evaluate(() => (globalThis as unknown as ProbedWindow).longTasks.splice(0))));

console.log(`a study of ${total} runs: 11 step sizes, 4 heights, ${seeds} seeds`);
await until(page, half, () => page.getByTestId(`study-row-${id}`).click());
await page.waitForTimeout(3000);
await longest();
for (let done = half; done < total; done += 10) {
  services.studies.advance(id, 10);
  await page.waitForTimeout(100);
}
await until(page, total, () => Promise.resolve());
said("longest block of the window while 100 runs a second end", await longest());

const opening: number[] = [];
for (let i = 0; i < repeats; i++) {
  await page.getByTestId("nav-studies").click();
  opening.push(await until(page, total, () => page.getByTestId(`study-row-${id}`).click()));
}
said("opening: click in the list to the headline picture", middle(opening));
await page.waitForTimeout(2000);
await longest();
const asking: number[] = [];
for (let i = 0; i < repeats; i++) asking.push(await until(page, total, () => page.getByTestId("study-log").click()));
said("drawing the headline picture again (logarithmic or not)", middle(asking));
said("longest block of the window meanwhile", await longest());
await page.getByTestId("point-order").getByText("Best first").click();
await page.mouse.move(1200, 700);
for (let i = 0; i < 30; i++) await page.mouse.wheel(0, 120);
said("longest block of the window while the table is scrolled", await longest());

await browser.close();
await server.close();
await services.close();
