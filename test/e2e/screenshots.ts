/**
 * Pictures of every page, light and dark, for the documentation: `npm run screenshots`.
 * The built workbench trains real runs in a store of its own, then a browser photographs them.
 * With `--networks`, only what needs no training: the picture of an imported network.
 */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Page } from "playwright";
import sharp from "sharp";
import type { ExperimentInput } from "../../src/shared/experiment.ts";
import type { StudyInput } from "../../src/shared/study/study.ts";
import type { Bridge } from "../../src/shared/contract.ts";
import { startBrowserWorkbench } from "./browser/harness.ts";
import { choose } from "./scenarios/workbench.ts";
import { launchChromium } from "./support/chromium.ts";

const folder = resolve(import.meta.dirname, "../../docs/screenshots");
const size = { width: 1440, height: 900 };

const experiments: ExperimentInput[] = [
  { name: "seed example" },
  { name: "plain Adam", tower: [{ optimizer: "adam" }] },
  { name: "seed example", seed: 1 },
  { name: "three levels", tower: [{ optimizer: "adamBaydin" }, { optimizer: "sgd", alpha: 1e-5 }, { optimizer: "sgd", alpha: 1e-9 }] },
  { name: "SGD learns its step size", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] },
  { name: "too bold a top level", model: { activation: "identity", outputActivation: "identity" }, tower: [{ optimizer: "sgd" }, { optimizer: "sgd", alpha: 1 }], budget: { epochs: 2 } },
];
/** Photographed while it trains. */
const live: ExperimentInput = { name: "seed example, 30 epochs", seed: 2, budget: { epochs: 30 } };

/** A small study, compared run by run. */
const studied: StudyInput = {
  name: "Step sizes",
  base: { dataset: { trainExamples: 6000, testExamples: 2000 }, tower: [{ optimizer: "sgd" }], budget: { epochs: 3 } },
  axes: [{ values: { kind: "grid", scale: "log", from: 1e-5, to: 10, points: 7 } }],
  heights: { values: [0, 1, 2] },
  seeds: [0, 1, 2],
};

/** The paper's Figure 4a on a fifth of the data, for three epochs. */
const pictured: StudyInput = {
  name: "Figure 4a in small",
  base: { dataset: { trainExamples: 12_000, testExamples: 2000 }, tower: [{ optimizer: "sgd" }], budget: { epochs: 3 } },
  axes: [{ values: { kind: "grid", scale: "log", from: 1e-8, to: 100, points: 11 } }],
  heights: { values: [0, 1, 2, 3] },
  seeds: [0, 1, 2],
};
/** What people choose among, on a small MNIST. */
const methods: StudyInput = {
  name: "Methods on a small MNIST",
  base: { dataset: { trainExamples: 6000, testExamples: 2000 }, budget: { epochs: 2 } },
  methods: {
    factors: { kind: "grid", from: 1e-3, to: 1e3, points: 7 },
    list: [
      { name: "SGD", tower: [{ optimizer: "sgd", alpha: 0.1 }] },
      { name: "Adam", tower: [{ optimizer: "adam" }] },
      { name: "Adam, cosine", tower: [{ optimizer: "adam", schedules: { alpha: "cosine" } }] },
      { name: "Schedule-Free AdamW", tower: [{ optimizer: "scheduleFreeAdam" }] },
      { name: "D-Adapt Adam", tower: [{ optimizer: "dAdaptAdam" }] },
      { name: "Prodigy", tower: [{ optimizer: "prodigy" }] },
      { name: "DoG", tower: [{ optimizer: "dog" }] },
      { name: "Adam / SGD(1e-5)", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
    ],
  },
  seeds: [0, 1, 2],
};
const second: StudyInput = {
  name: "Step size against momentum",
  base: { dataset: { trainExamples: 6000, testExamples: 2000 }, tower: [{ optimizer: "sgd" }], budget: { epochs: 2 } },
  axes: [{ values: { kind: "grid", scale: "log", from: 1e-4, to: 10, points: 6 } }, { hyperparameter: "mu", values: { kind: "list", values: [0, 0.5, 0.9] } }],
  heights: { values: [0, 1] },
  seeds: [0],
};

/** A request over the page's own connection that answers with something new; resolves to its id. */
async function start(page: Page, name: "runs.start" | "studies.start", input: unknown): Promise<string> {
  return page.evaluate(
    async ([request, of]) => {
      const socket = new WebSocket(`ws://${location.host}/ws`, ["hypertower", `key.${localStorage.getItem("hypertower-key")}`]);
      const reply = await new Promise<Awaited<ReturnType<Bridge["request"]>>>((done, fail) => {
        socket.onopen = () => socket.send(JSON.stringify({ id: 1, name: request, input: of }));
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data)) as { id?: number; reply: Awaited<ReturnType<Bridge["request"]>> };
          if (message.id === 1) done(message.reply);
        };
        socket.onclose = () => fail(new Error("the connection closed"));
      });
      socket.onclose = null;
      socket.close();
      if (!reply.ok) throw new Error(reply.error.message);
      return (reply.value as { id: string }).id;
    },
    [name, input] as const,
  );
}

async function show(page: Page, path: string): Promise<void> {
  await page.goto(new URL(`/#${path}`, page.url()).href);
  await page.waitForTimeout(1500);
  await page.mouse.move(0, 0);
}

async function photograph(page: Page, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    // Colors change slowly, and parts that nothing touches only once a frame is asked for.
    await page.waitForTimeout(800);
    await page.screenshot();
    await page.waitForTimeout(400);
    // 256 colors: a third of the size, and no difference to be seen.
    await sharp(await page.screenshot()).png({ palette: true, quality: 90, effort: 10, compressionLevel: 9 }).toFile(resolve(folder, `${name}-${scheme}.png`));
  }
}

async function photographNetwork(page: Page): Promise<void> {
  await show(page, "/networks");
  await page.getByTestId("import-network").click();
  await page.getByTestId("network-path").fill(resolve(import.meta.dirname, "../onnx/fixtures/mobilenet.old.onnx"));
  await page.getByTestId("network-name").fill("MobileNet in small");
  await page.getByTestId("network-confirm").click();
  await page.getByTestId("network-graph").locator(".scroller > svg").waitFor();
  await page.mouse.move(0, 0);
  await photograph(page, "network");
  await page.keyboard.press("Escape");
  await page.getByTestId("network-details").waitFor({ state: "hidden" });
}

async function photographTraining(page: Page): Promise<void> {
  const ids: string[] = [];
  for (const experiment of experiments) {
    const id = await start(page, "runs.start", { experiment });
    ids.push(id);
    await show(page, `/runs/${id}`);
    await page.locator("[data-testid=run-status]:not([data-status=queued]):not([data-status=running])").waitFor({ timeout: 300_000 });
    console.log(`trained ${experiment.name ?? id}`);
  }
  const liveId = await start(page, "runs.start", { experiment: live });
  await show(page, `/runs/${liveId}`);
  await page.waitForFunction(() => (window as unknown as { hypertowerCharts: Record<string, () => { total: number }> }).hypertowerCharts["loss-chart/loss"]!().total > 1500, undefined, { timeout: 120_000 });
  await photograph(page, "run");
  await show(page, "/runs");
  await photograph(page, "history");
  await page.goto(new URL(`/#/runs/${liveId}`, page.url()).href);
  await page.getByTestId("stop-button").click();
  await show(page, `/runs/${ids[5] ?? ""}`);
  await photograph(page, "diverged");
  await show(page, `/runs/${ids[0] ?? ""}`);
  await page.getByTestId("predictions").scrollIntoViewIfNeeded();
  await page.getByTestId("confusion-4-9").click();
  await page.getByTestId("samples").waitFor();
  await page.getByTestId("predictions").evaluate((panel) => panel.scrollIntoView({ block: "center" }));
  await photograph(page, "predictions");
  await show(page, `/compare?runs=${ids.slice(0, 4).join(",")}`);
  await photograph(page, "compare");
  const study = await start(page, "studies.start", { study: studied });
  await show(page, `/studies/${study}`);
  await page.locator("[data-testid=study-status][data-status=finished]").waitFor({ timeout: 300_000 });
  await show(page, `/compare?studies=${study}&group=seed`);
  await page.setViewportSize({ width: size.width, height: 1900 });
  await photograph(page, "compare-study");
  await page.setViewportSize(size);

  const picture = await start(page, "studies.start", { study: pictured });
  await show(page, `/studies/${picture}`);
  await page.locator("[data-testid=study-status][data-status=finished]").waitFor({ timeout: 900_000 });
  await page.setViewportSize({ width: size.width, height: 1560 });
  await show(page, `/studies/${picture}`);
  await page.getByRole("tab", { name: "Trajectories" }).click();
  await page.waitForTimeout(1500);
  await photograph(page, "study");
  const compared = await start(page, "studies.start", { study: methods });
  await show(page, `/studies/${compared}`);
  await page.locator("[data-testid=study-status][data-status=finished]").waitFor({ timeout: 300_000 });
  await page.setViewportSize({ width: size.width, height: 1900 });
  await show(page, `/studies/${compared}`);
  await photograph(page, "methods");
  const other = await start(page, "studies.start", { study: second });
  await show(page, `/studies/${other}`);
  await page.locator("[data-testid=study-status][data-status=finished]").waitFor({ timeout: 300_000 });
  await page.getByRole("tab", { name: "Heat map" }).click();
  await page.waitForTimeout(1500);
  await photograph(page, "study-two-axes");
  await page.setViewportSize(size);
  const running = await start(page, "studies.start", { study: { ...studied, name: "Step sizes, more seeds", seeds: [3, 4, 5, 6, 7] } });
  await show(page, `/studies/${running}`);
  await page.waitForFunction(() => Number(document.querySelector("[data-testid=stat-finished]")?.textContent) >= 30, undefined, { timeout: 300_000 });
  await show(page, "/studies");
  await photograph(page, "studies");
  await page.goto(new URL(`/#/studies/${running}`, page.url()).href);
  await page.getByTestId("stop-study").click();
  await show(page, "/studies/new?preset=figure4a");
  // The offer to undo goes by itself.
  await page.waitForTimeout(9000);
  await page.setViewportSize({ width: size.width, height: 1250 });
  await photograph(page, "new-study");
  await page.setViewportSize(size);

  await show(page, `/?from=${ids[3] ?? ""}`);
  await page.waitForTimeout(9000);
  await photograph(page, "new-experiment");
  await choose(page, "model-kind", "Small CNN");
  await page.getByTestId("edit-by-layers").click();
  await page.getByTestId("add-layers").click();
  await page.getByTestId("add-layers-residual").click();
  await page.getByTestId("layers-0-settings").click();
  // Until the time of a step is measured and the offer to undo has gone.
  await page.waitForTimeout(15_000);
  await page.setViewportSize({ width: size.width, height: 1560 });
  await page.evaluate(() => window.scrollTo(0, 0));
  await photograph(page, "architecture");
  await show(page, "/storage");
  await photograph(page, "storage");
  await show(page, "/engines");
  const measure = page.locator("[data-testid=calibrate-button]:not([disabled])");
  await measure.waitFor({ timeout: 300_000 });
  await choose(page, "engines-program", "Adam / SGD(1e-5) on MNIST");
  await page.waitForTimeout(500);
  await measure.click({ timeout: 300_000 });
  await page.getByTestId("engine-onnx-cpu").getByTestId("engine-step").waitFor({ timeout: 600_000 });
  await measure.waitFor({ timeout: 300_000 });
  await page.setViewportSize({ width: size.width, height: 1560 });
  await photograph(page, "engines");
  await page.setViewportSize(size);
}

mkdirSync(folder, { recursive: true });
const browser = await launchChromium();
const harness = await startBrowserWorkbench(browser);
try {
  const { page } = harness;
  await page.setViewportSize(size);
  await photographNetwork(page);
  if (!process.argv.includes("--networks")) await photographTraining(page);
  if (harness.problems.length > 0) throw new Error(`the pages complained:\n${harness.problems.join("\n")}`);
  console.log(`wrote ${folder}`);
} finally {
  await harness.close();
  await browser.close();
}
