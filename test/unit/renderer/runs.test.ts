import { expect, it } from "vitest";
import { distinctNames } from "@/lib/compared.ts";
import { metricChoices } from "@/lib/comparison.ts";
import { differences, fieldLabel } from "@shared/comparison/differences.ts";
import { filterRuns, sortRuns } from "@/lib/runTable.ts";
import { validateExperiment } from "@shared/experiment.ts";
import { listedOf } from "@shared/listedRun.ts";
import { hyperparameterColumns, notation } from "@shared/tower.ts";
import type { RunSummary } from "@shared/run.ts";

function run(id: string, input: object, part: Partial<RunSummary> = {}): RunSummary {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]?.message);
  const { experiment } = result;
  return {
    id, name: experiment.name, status: "finished", reason: null, stack: notation(experiment.tower), experiment, device: null,
    createdAt: 0, startedAt: 0, finishedAt: 1000, trained: { milliseconds: 1000, from: "clock" }, steps: 0, totalSteps: 10, epoch: 0, samplesPerSecond: null, secondsLeft: null,
    loss: null, testError: null, evaluation: null, hyperparameters: [], study: null, deletedAt: null, ...part,
  };
}

const ids = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);
const runs = [
  run("a", { name: "first", seed: 3 }, { testError: 3.1, createdAt: 1 }),
  run("b", { name: "second", tower: [{ optimizer: "sgd" }] }, { testError: null, status: "running", createdAt: 2 }),
  run("c", { name: "third" }, { testError: 2.9, status: "diverged", createdAt: 3 }),
];

const listed = runs.map(listedOf);

it("sorts by any column, with runs that have no value last either way", () => {
  expect(ids(sortRuns(listed, { column: "result", order: "asc" }))).toEqual(["c", "a", "b"]);
  expect(ids(sortRuns(listed, { column: "result", order: "desc" }))).toEqual(["a", "c", "b"]);
  expect(ids(sortRuns(listed, { column: "created", order: "desc" }))).toEqual(["c", "b", "a"]);
  expect(ids(sortRuns(listed, { column: "seed", order: "asc" }))).toEqual(["c", "b", "a"]);
});

it("filters by words and status together", () => {
  expect(ids(filterRuns(listed, "adam", "all"))).toEqual(["a", "c"]);
  expect(ids(filterRuns(listed, "ADAM third", "all"))).toEqual(["c"]);
  expect(ids(filterRuns(listed, "seed 3", "all"))).toEqual(["a"]);
  expect(ids(filterRuns(listed, "mnist mlp second", "all"))).toEqual(["b"]);
  expect(ids(filterRuns(listed, "", "active"))).toEqual(["b"]);
  expect(ids(filterRuns(listed, "first", "diverged"))).toEqual([]);
});

it("lists exactly the fields that differ, absent ones included", () => {
  const experiments = [run("a", { seed: 1, name: "x" }), run("b", { seed: 2, name: "y", tower: [{ optimizer: "adam" }] })].map((r) => r.experiment);
  const found = differences(experiments);
  expect(found.map(({ path }) => path)).toEqual(["seed", "tower.1"]);
  expect(found[1]?.values).toEqual(["SGD(1e-5)", undefined]);
  expect(differences([experiments[0], experiments[0]].filter((e) => e !== undefined))).toEqual([]);
});

it("tells groups as one choice, in words", () => {
  const bias = { name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1 };
  const tower = (groups: object[]) => run("a", { tower: [{ optimizer: "adam", groups }] }).experiment;
  const found = differences([tower([bias]), tower([bias, { name: "rest", match: "*", frozen: true }]), tower([])]);
  expect(found).toEqual([{ path: "tower.0.groups", label: "groups of level 0", values: ["bias (*.bias): SGD(0.1)", "bias (*.bias): SGD(0.1), rest (*): frozen", "nothing"] }]);
  const grouped = { ...run("g", {}), experiment: tower([bias]) };
  expect(metricChoices([grouped]).find(({ metric }) => metric === "L0.alpha[bias]")?.label).toBe("α[bias] of level 0");
});

it("labels fields as people call them", () => {
  expect(fieldLabel("batchSize")).toBe("batch size");
  expect(fieldLabel("model.hidden.1")).toBe("width of hidden layer 2");
  expect(fieldLabel("seed")).toBe("seed");
});

it("offers every metric any of the runs logs, once", () => {
  const metrics = metricChoices(runs).map(({ metric }) => metric);
  expect(new Set(metrics).size).toBe(metrics.length);
  for (const one of runs) for (const { metric, hypergradient } of hyperparameterColumns(one.experiment.tower)) expect(metrics).toEqual(expect.arrayContaining([metric, hypergradient]));
  expect(metrics.slice(0, 2)).toEqual(["loss", "testError"]);
});

it("gives runs of one name names that tell them apart", () => {
  const same = [run("run-aaaaaa", { name: "x", seed: 1 }), run("run-bbbbbb", { name: "x", seed: 2 }), run("run-cccccc", { name: "x", seed: 2 }), run("d", { name: "y" })];
  expect(distinctNames(same)).toEqual(["x, seed 1", "x, seed 2 (bbbbbb)", "x, seed 2 (cccccc)", "y"]);
});
