/** Importing runs, the page of an imported run, and comparisons with it. */
import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import ImportRuns from "@/components/report/ImportRuns.vue";
import { bySeed, resultChoices, resultsOf, singly } from "@/lib/compared.ts";
import { compareTable } from "@/lib/compareTable.ts";
import { metricChoices } from "@/lib/comparison.ts";
import RunPage from "@/pages/RunPage.vue";
import type { ImportedRun } from "@shared/importedRun.ts";
import type { RunSummary } from "@shared/run.ts";
import { byTestid, click, emptyRouter, hasTestid, layOut, mountPart, onPage, services } from "./support.ts";
import { runOf } from "./samples.ts";

const imported: ImportedRun = { format: "tensorboard", path: "/runs/a", key: "", configuration: [["lr", 0.1], ["amsgrad", true]], series: ["val/acc", "train/loss"] };
const importedOf = (id: string, configuration = imported.configuration): RunSummary =>
  runOf(id, { status: "finished", steps: 96, stack: "imported from TensorBoard", hyperparameters: [], imported: { ...imported, configuration } } as never);
const watching = { id: "w", paths: ["/runs"], runs: ["a"] };

beforeEach(() => {
  layOut(1200, 700);
  services.answer("series.read", () => [] as never);
  services.answer("importedRuns.watches", () => []);
});

it("imports and watches what a path holds, with the columns that were named", async () => {
  services.answer("importedRuns.import", () => ({ runs: [{ id: "a", name: "a", format: "csv", path: "/runs/log.csv", points: 9, isNew: true }], warnings: ["/runs/log.csv ends early"], watch: "w" }));
  const wrapper = mountPart(ImportRuns, { router: emptyRouter() });
  await click(wrapper, "import-runs-button");
  const fill = async (testid: string, value: string) => {
    const field = onPage(testid) as HTMLInputElement;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await flushPromises();
  };
  await fill("import-runs-path", "/runs/log.csv");
  await fill("import-runs-step", "n");
  onPage("import-runs-watch").querySelector("input")?.click();
  await flushPromises();
  onPage("import-runs-confirm").click();
  await flushPromises();
  expect(services.inputs("importedRuns.import")).toEqual([{ paths: ["/runs/log.csv"], watch: true, columns: { step: "n" } }]);
  expect(document.body.textContent).toContain("1 run imported and watched. /runs/log.csv ends early");
});

it("shows an imported run: its series, the loss first, its source and configuration, and nothing that needs an experiment", async () => {
  const run = importedOf("a");
  services.answer("runs.get", () => ({ ...run, environment: null, metrics: ["wallTime", ...imported.series], evaluations: [], events: [] }));
  services.answer("importedRuns.watches", () => [watching]);
  services.answer("importedRuns.stop", () => []);
  const wrapper = mountPart(RunPage, { props: { id: "a" }, stubs: ["LineChart"], router: emptyRouter() });
  await flushPromises();
  expect(byTestid(wrapper, "imported-tag").text()).toBe("Imported, watched");
  expect(wrapper.findAll("line-chart-stub").map((chart) => chart.attributes("title"))).toEqual(["train/loss", "val/acc"]);
  expect(byTestid(wrapper, "run-configuration").text()).toMatch(/lr\s*0\.1\s*amsgrad\s*true/);
  expect(byTestid(wrapper, "imported-facts").text()).toContain("/runs/a");
  for (const absent of ["duplicate-run-button", "study-of-run", "resume-button", "run-engine"]) expect(hasTestid(wrapper, absent)).toBe(false);
  await click(wrapper, "stop-watching");
  await flushPromises();
  expect(services.inputs("importedRuns.stop")).toEqual([{ watch: "w" }]);
  expect(byTestid(wrapper, "imported-tag").text()).toBe("Imported");
});

it("compares imported runs by what they record, and leaves out what only trained runs have", () => {
  const runs = [{ run: runOf("here", { status: "finished", testError: 4 }), evaluations: [{ step: 1, epoch: 1, trainLoss: null, testLoss: null, testError: 4 }] }, { run: importedOf("a"), evaluations: [] }, { run: importedOf("b", [["lr", 0.01]]), evaluations: [] }];
  expect(bySeed(runs)).toHaveLength(3);
  expect(resultChoices(runs.map(({ run }) => run)).length).toBeGreaterThan(0);
  const results = resultsOf(runs, { name: "testError", at: "final" });
  expect(results.get("a")).toEqual({ outcome: "missing", value: null, counted: null });
  const fields = compareTable({ compared: singly(runs), final: results, best: results, baseline: null });
  expect(fields.find(({ label }) => label === "lr")!.cells.map(({ text }) => text)).toEqual(["–", "0.1", "0.01"]);
  expect(fields.find(({ label }) => label === "batch size")).toBeUndefined();
  expect(metricChoices(runs.map(({ run }) => run)).filter(({ group }) => group === "Imported").map(({ metric }) => metric)).toEqual(["val/acc", "train/loss"]);
});
