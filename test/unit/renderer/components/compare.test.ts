import { mount } from "@vue/test-utils";
import { expect, it } from "vitest";
import ComparisonTable from "@/components/compare/ComparisonTable.vue";
import ImportancePanel from "@/components/compare/ImportancePanel.vue";
import { bySeed, resultsOf, type ComparedRun } from "@/lib/compared.ts";
import { lineStyle } from "@charts/palette.ts";
import { validateExperiment, type ExperimentInput } from "@shared/experiment.ts";
import type { RunSummary } from "@shared/run.ts";
import { notation } from "@shared/tower.ts";

function run(id: string, input: ExperimentInput, testError: number): ComparedRun {
  const checked = validateExperiment(input);
  if (!checked.ok) throw new Error(checked.errors[0]?.message);
  const { experiment } = checked;
  const summary = {
    id, name: id, status: "finished", reason: null, stack: notation(experiment.tower), experiment, device: null, createdAt: 0, startedAt: 0, finishedAt: 2000, trained: { milliseconds: 2000, from: "clock" }, steps: 10,
    totalSteps: 10, epoch: 1, samplesPerSecond: null, secondsLeft: null, loss: 0.5, testError, evaluation: null, hyperparameters: [], study: null, deletedAt: null,
  } as unknown as RunSummary;
  return { run: summary, evaluations: [{ step: 1, epoch: 1, trainLoss: null, testLoss: null, testError }] };
}

function table(runs: readonly ComparedRun[], pinned = -1) {
  const entries = bySeed(runs).map((item, i) => ({ item, style: lineStyle(i, false), hidden: false, pinned: i === pinned }));
  return mount(ComparisonTable, { props: { entries, metric: "testError", final: resultsOf(runs, { name: "testError", at: "final" }), best: resultsOf(runs, { name: "testError", at: "best" }) } });
}

const pair = [run("a", { seed: 0 }, 4), run("a 2", { seed: 1 }, 5), run("b", { tower: [{ optimizer: "sgd" }] }, 9)];

it("shows groups as mean ± standard error, and says so", () => {
  const row = table(pair).get('[data-field="testError"]');
  expect(row.text()).toContain("test error, last (mean ± standard error)");
  expect(row.text()).toContain("4.50 ± 0.50 %");
  expect(row.text()).toContain("9.00 %");
});

it("marks the baseline, and shows in color what is better or worse than it", () => {
  const mounted = table(pair, 0);
  expect(mounted.get("thead").text()).toContain("baseline");
  expect(mounted.get('[data-field="testError"] .delta.worse').text()).toBe("+4.50 % (+100 %)");
});

it("stands many in rows, and sorts them by any column", async () => {
  const mounted = table([5, 3, 8, 1, 9, 2, 7].map((error, i) => run(`run ${i}`, { tower: [{ optimizer: "sgd", alpha: 0.01 * (i + 1) }] }, error)));
  const firsts = () => mounted.findAll("tbody tr").map((row) => Number.parseFloat(row.findAll("td")[2]!.text()));
  expect(firsts()).toEqual([5, 3, 8, 1, 9, 2, 7]);
  const button = mounted.get('th[data-field="testError"] button');
  await button.trigger("click");
  expect(firsts()).toEqual([1, 2, 3, 5, 7, 8, 9]);
  expect(mounted.get('th[data-field="testError"]').attributes("aria-sort")).toBe("ascending");
  await button.trigger("click");
  expect(firsts()).toEqual([9, 8, 7, 5, 3, 2, 1]);
});

it("refuses shares of too few runs, and says when they overlap", async () => {
  const half = Array.from({ length: 14 }, (_, i) => (i < 7 ? 0 : 1));
  const settings = [0, 1].map((off) => ({ path: `x${off}`, key: `x${off}`, label: `x${off}`, values: half.map((value, i) => (i === off ? 1 - value : value)) }));
  const mounted = mount(ImportancePanel, { props: { settings: settings as never, results: half.map((value, i) => value + 0.01 * i), metric: "test error" } });
  expect(mounted.get('[data-testid="importance-method"]').text()).toMatch(/their shares overlap \(\d+ % in total\) and are scaled to 100 %/);
  await mounted.setProps({ results: [1, 2, 3] });
  expect(mounted.get('[data-testid="importance-reason"]').text()).toBe("Not available: 3 runs have a result; at least 12 are needed.");
});
