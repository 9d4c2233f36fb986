import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { parseRows } from "../../../src/main/headless/commands/table1.ts";
import { markdownReport, textTable } from "../../../src/main/headless/table1/format.ts";
import { sameExperiment, trainTable1, type Table1Listener, type Table1Plan } from "../../../src/main/headless/table1/runs.ts";
import { tableRows } from "../../../src/main/headless/table1/table.ts";
import { listedOf } from "../../../src/shared/listedRun.ts";
import { isActive, type RunSummary } from "../../../src/shared/run.ts";
import { table1Rows } from "../../../src/shared/table1.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { freshFolder } from "../../support/storeFixtures.ts";
import { fakeServices } from "../../support/fakeServices.ts";
import { runOf } from "./runs.ts";

type Ending = Partial<RunSummary>;

/** Services whose runs end after a few turns as `ending` says, with the runs they keep. */
function servicesWith(ending: (run: RunSummary) => Ending) {
  const services = fakeServices();
  const kept: RunSummary[] = [];
  const load = { now: 0, most: 0 };
  const change = (run: RunSummary) => {
    kept[kept.findIndex(({ id }) => id === run.id)] = run;
    services.emit("run.changed", run);
  };
  const train = async (run: RunSummary) => {
    for (let i = 0; i < 3; i++) await turn();
    load.now--;
    change({ ...run, status: "finished", ...ending(run) });
  };
  services.handlers["runs.list"] = () => kept.map(listedOf);
  services.handlers["runs.summaries"] = ({ runs }) => runs.map((of) => kept.find(({ id }) => id === of)!);
  services.handlers["runs.start"] = ({ experiment }) => {
    const begun = runOf(experiment, { id: `r${kept.length}`, status: "queued" });
    const run = { ...begun, name: begun.experiment.name };
    kept.push(run);
    load.most = Math.max(load.most, ++load.now);
    void train(run);
    return run;
  };
  services.handlers["runs.get"] = ({ run }) => ({ ...kept.find(({ id }) => id === run)!, environment: null, metrics: [], evaluations: [], events: [] });
  return { services, kept, load };
}

/** Every run ends with 1 % per seed more than 3 %, its tower at the given step size. */
const endsAt = (alpha: (run: RunSummary) => number) => (run: RunSummary): Ending => ({
  testError: 3 + run.experiment.seed,
  hyperparameters: run.hyperparameters.map((h) => (h.metric === "L0.alpha" && run.experiment.tower.length > 1 ? { ...h, value: alpha(run) } : h)),
});

function listener() {
  const heard: string[] = [];
  const said: Table1Listener = {
    progress: (run) => isActive(run.status) && heard.push(`progress ${run.id}`),
    ended: ({ row, seed, column }, _run, reused) => heard.push(`${row.number} ${seed} ${column}${reused ? " reused" : ""}`),
    skipped: ({ row, seed, column }, why) => heard.push(`${row.number} ${seed} ${column}: ${why}`),
  };
  return { heard, said };
}

const plan = (numbers: readonly number[], changes: Partial<Table1Plan> = {}): Table1Plan => ({
  rows: numbers.map((n) => table1Rows[n - 1]!),
  seeds: 2,
  workers: 2,
  atPaper: false,
  ...changes,
});

describe("trainTable1", () => {
  it("trains each row and seed, and the plain optimizer at that run's own learned values", async () => {
    const { services, kept, load } = servicesWith(endsAt(({ experiment }) => 0.05 * (1 + experiment.seed)));
    const results = await trainTable1(services, plan([1, 2]), listener().said);
    expect(results.map(({ row, seed, rerun }) => [row.number, seed, rerun !== null])).toEqual([[1, 0, false], [1, 1, false], [2, 0, true], [2, 1, true]]);
    const reruns = kept.filter(({ experiment }) => experiment.name.includes("plain at the learned values"));
    expect(reruns.map(({ experiment: { seed, tower, budget } }) => ({ seed, alpha: tower[0]!.alpha, levels: tower.length, epochs: budget.epochs }))).toEqual([
      { seed: 0, alpha: 0.05, levels: 1, epochs: 30 },
      { seed: 1, alpha: 0.1, levels: 1, epochs: 30 },
    ]);
    expect(load.most).toBe(2);
    expect(services.listeners()).toBe(0);
  });

  it("takes what has ended from the store, whatever its name, and trains only the rest", async () => {
    const { services, kept } = servicesWith(endsAt(() => 0.05));
    await trainTable1(services, plan([2], { seeds: 1 }), listener().said);
    kept[0] = { ...kept[0]!, experiment: { ...kept[0]!.experiment, name: "another name" } };
    kept[1] = { ...kept[1]!, status: "stopped" };
    const { heard, said } = listener();
    await trainTable1(services, plan([2]), said);
    expect(heard.filter((text) => text.startsWith("2 "))).toEqual(expect.arrayContaining(["2 0 tower reused", "2 0 rerun", "2 1 tower", "2 1 rerun"]));
    expect(kept).toHaveLength(5);
  });

  it("leaves out a rerun whose learned values no optimizer can start from, and says why", async () => {
    const { services, kept } = servicesWith(endsAt(() => -0.15));
    const { heard, said } = listener();
    const [result] = await trainTable1(services, plan([5], { seeds: 1 }), said);
    expect(kept).toHaveLength(1);
    expect(result!.rerun).toEqual({ impossible: expect.stringContaining("-0.15") as string });
    expect(heard.at(-1)).toMatch(/^5 0 rerun: .*-0\.15/);
  });

  it("starts plain optimizers at the paper's learned values when asked to", async () => {
    const { services, kept } = servicesWith(endsAt(() => 0.05));
    const results = await trainTable1(services, plan([1, 2], { seeds: 1, atPaper: true }), listener().said);
    expect(results.map(({ atPaper }) => atPaper?.experiment.tower)).toMatchObject([undefined, [{ optimizer: "sgd", alpha: 0.0769 }]]);
    expect(kept).toHaveLength(4);
  });

  it("ends with the reason when a run fails", async () => {
    const { services } = servicesWith(() => ({ status: "failed", reason: "MNIST could not be read" }));
    await expect(trainTable1(services, plan([6]), listener().said)).rejects.toThrow(/Table 1, row 6.* failed: MNIST could not be read/);
  });
});

describe("sameExperiment", () => {
  it("looks at everything but the name", () => {
    const { experiment } = runOf({ seed: 3 });
    expect(sameExperiment(experiment, { ...experiment, name: "x" })).toBe(true);
    expect(sameExperiment(experiment, { ...experiment, seed: 4 })).toBe(false);
    expect(sameExperiment(experiment, { ...experiment, tower: experiment.tower.slice(1) })).toBe(false);
  });
});

describe("the table", () => {
  it("summarizes the seeds beside the paper, and counts only runs that finished", async () => {
    const { services } = servicesWith((run) =>
      run.experiment.seed === 2 ? { status: "diverged", reason: "the loss became NaN at step 7" } : endsAt(() => 0.05 + run.experiment.seed / 100)(run),
    );
    const results = await trainTable1(services, plan([2], { seeds: 3 }), listener().said);
    const [row] = tableRows(results);
    expect(row!.tower.ours).toEqual({ count: 2, mean: 3.5, deviation: Math.SQRT1_2 });
    // (3.5 - 4.81) / sqrt(0.5 / 2 + 0.1² / 3)
    expect(row!.tower.difference).toBeCloseTo(-1.31 / Math.sqrt(0.25 + 0.01 / 3), 10);
    expect(row!.learned).toMatchObject([{ name: "alpha", paper: 0.0769, ours: { count: 2, mean: expect.closeTo(0.055, 12) as number } }]);
    expect(row!.remarks[0]).toBe("seed 2: diverged: the loss became NaN at step 7");

    const text = textTable([row!]);
    expect(text).toMatch(/2 +SGD \/ SGD +30 +3\.50 ± 0\.71 \(2 of 3\) +4\.81 ± 0\.10 +−2\.6 σ +α 0\.055 ± 0\.0071 +α 0\.0769 +3\.50 ± 0\.71 \(2 of 3\)/);
    expect(text).toContain("row 2, seed 2: diverged: the loss became NaN at step 7");
    const markdown = markdownReport([row!], results, ["machine: a fake one"]);
    expect(markdown).toContain("- machine: a fake one\n");
    const widths = markdown.split("\n").filter((line) => line.startsWith("|")).map((line) => line.split("|").length);
    expect(new Set(widths.slice(0, 3)).size).toBe(1);
    expect(markdown).toContain("| 2 | SGD / SGD | 1 | 4.00 % | alpha 0.06 | 4.00 % |");
  });
});

describe("parseRows", () => {
  it("reads numbers and ranges, in the table's order", () => {
    expect(parseRows("7-9, 2").map(({ number }) => number)).toEqual([2, 7, 8, 9]);
    expect(parseRows(undefined)).toHaveLength(18);
  });

  it.each(["19", "0", "5-3", "x", "", "1,,2"])("refuses %j and says what is allowed", (text) => {
    expect(() => parseRows(text)).toThrow(/allowed: numbers and ranges from 1 to 18/);
  });
});

describe("hypertower table1", () => {
  it("says what is wrong before it trains or writes anything", async () => {
    const folder = freshFolder();
    const [store, taken] = [join(folder, "store"), join(folder, "notes.md")];
    writeFileSync(taken, "notes");
    const [rows, seeds, file] = await Promise.all([
      runCommand(store, ["table1", "--rows", "19", "--json"]),
      runCommand(store, ["table1", "--seeds", "0"]),
      runCommand(store, ["table1", "--markdown", taken]),
    ]);
    expect(rows.code).toBe(1);
    expect(jsonLines(rows.stdout)).toMatchObject([{ type: "error", message: expect.stringContaining("from 1 to 18") as string }]);
    expect(seeds).toMatchObject({ code: 1, stdout: "" });
    expect(seeds.stderr).toContain("Allowed: 1 to 1000");
    expect(file).toMatchObject({ code: 1, stdout: "" });
    expect(file.stderr).toContain("is there already");
    expect(existsSync(store)).toBe(false);
  });
});
