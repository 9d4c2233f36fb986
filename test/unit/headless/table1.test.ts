/** The paper's Table 1 as a study: what is begun, continued and printed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseRows, trainTable1 } from "../../../src/main/headless/commands/table1.ts";
import { textReport } from "../../../src/main/headless/study/report.ts";
import { markdownReport, textTable } from "../../../src/main/headless/table1/format.ts";
import { tableRows, type Table1Asked } from "../../../src/main/headless/table1/table.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { asNewStudy, study as studySchema } from "../../../src/shared/study/study.ts";
import type { StudyPoint } from "../../../src/shared/study/result.ts";
import { mergedTable1, seedsOfTable1, table1Seeds, table1Study } from "../../../src/shared/study/table1.ts";
import { table1Rows } from "../../../src/shared/table1.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { pretendStudy, storeStudy, studyOf } from "../../support/pretendStudy.ts";
import { freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const asked = (rows: readonly number[], seeds = 2, paperValues = false): Table1Asked => ({ rows: table1Rows.filter(({ number }) => rows.includes(number)), seeds: Array.from({ length: seeds }, (_, i) => i), paperValues });
const seedsFor = ({ rows, seeds, paperValues }: Table1Asked) => table1Seeds(rows, seeds, paperValues);
const full = { quick: false };

describe("the study of Table 1", () => {
  it("has both columns of every row, each compared with the plain optimizer it stands on", () => {
    const { stacks, seeds } = studyOf(table1Study(seedsFor(asked(table1Rows.map(({ number }) => number), 3)), full));
    expect(seeds).toEqual([0, 1, 2]);
    expect(stacks).toHaveLength(18 + 14);
    expect(stacks!.find(({ name }) => name === "9: Adam / Adam")).toMatchObject({ epochs: 5, against: "6: Adam", seeds: null });
    expect(stacks!.find(({ name }) => name === "9: Adam / Adam, plain at the learned values")).toMatchObject({ tower: null, rerunOf: "9: Adam / Adam", against: "6: Adam" });
  });

  it("is recognized in the store, whatever its name and also in the form it had before, and no other is", () => {
    const own = studyOf(table1Study(seedsFor(asked([1, 2])), full));
    expect(seedsOfTable1({ ...own, name: "Renamed", base: { ...own.base, generator: 1 } }, full)).toEqual(new Map([["1: SGD", [0, 1]], ["2: SGD / SGD", [0, 1]], ["2: SGD / SGD, plain at the learned values", [0, 1]]]));
    expect(seedsOfTable1(own, { quick: true })).toBeNull();
    const before = studySchema.parse(asNewStudy({ name: "Table 1", stacks: [{ name: "1: SGD", tower: [{ optimizer: "sgd" }], epochs: 30 }], seeds: [0] }));
    expect(seedsOfTable1(before, full)).toEqual(new Map([["1: SGD", [0]]]));
    expect(seedsOfTable1({ ...own, base: { ...own.base, batchSize: 64 } }, full)).toBeNull();
    expect(seedsOfTable1({ ...own, stacks: [...own.stacks!, { name: "mine", tower: own.base.tower, rerunOf: null, epochs: null, seeds: null, against: null }] }, full)).toBeNull();
    expect(seedsOfTable1({ ...own, stacks: null }, full)).toBeNull();
  });

  it("grows by the rows and seeds it lacks, and by nothing else", () => {
    const had = seedsFor(asked([1, 2], 3));
    expect(mergedTable1(had, seedsFor(asked([2], 2)))).toBeNull();
    const { stacks, seeds } = studyOf(table1Study(mergedTable1(had, seedsFor(asked([6], 4)))!, full));
    expect(seeds).toEqual([0, 1, 2, 3]);
    expect(stacks!.map(({ name, seeds: own }) => [name, own])).toEqual([["1: SGD", [0, 1, 2]], ["2: SGD / SGD", [0, 1, 2]], ["2: SGD / SGD, plain at the learned values", null], ["6: Adam", null]]);
  });
});

describe("trainTable1", () => {
  it("begins a study, extends it by what is asked for next, and trains nothing twice", async () => {
    const log = recordedLog();
    const services = await createServices(
      { storeDir: freshFolder(), host: "browser", version: "1", launchTrainer: nodeLauncher(processFile("fakeTrainer")) },
      { datasets: { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) }, log },
    );
    onTestFinished(() => services.close());
    const said: string[] = [];
    const stream = { write: (text: string) => (said.push(text), true) } as unknown as NodeJS.WritableStream;
    const train = (of: Table1Asked, workers: number | null = null) => trainTable1(services, of, full, workers, textReport({ stdout: stream, stderr: stream }));
    const runs = async () => (await services.handlers["runs.list"]({ deleted: false })).map(({ id }) => id);

    const first = await train(asked([1, 6], 1), 2);
    expect(first).toMatchObject({ code: 0, study: { name: "Table 1", status: "finished", total: 2 } });
    const before = await runs();
    const second = await train(asked([2], 1));
    expect(second).toMatchObject({ code: 0, study: { id: first.study.id, total: 4, finished: 4 } });
    expect(await runs()).toEqual(expect.arrayContaining(before));
    expect(await runs()).toHaveLength(4);
    expect(await train(asked([1, 2], 1), 2)).toMatchObject({ code: 0, study: { id: first.study.id } });
    expect(said.join("")).toContain("--workers applies to a new study only");
    expect(await runs()).toHaveLength(4);

    // What is in the bin is trained again.
    await services.handlers["runs.delete"]({ runs: [before[0]!] });
    expect(await train(asked([1], 1))).toMatchObject({ code: 0, study: { total: 4, finished: 4 } });
    expect(await runs()).toHaveLength(4);
    // The quick edition is a study of its own.
    expect((await trainTable1(services, asked([6], 1), { quick: true }, 2, textReport({ stdout: stream, stderr: stream }))).study).toMatchObject({ name: "Table 1, quick", total: 1 });
  });
});

/** Rows 1 and 2; unless all is well, the tower of seed 2 diverged and the rerun of seed 1 could not start. */
function trained({ paperValues = false, allWell = false } = {}) {
  const of = asked([1, 2], 3, paperValues);
  const change = (point: StudyPoint): StudyPoint => {
    if (!allWell && point.stack === "2: SGD / SGD, plain at the learned values" && point.seed === 1) return { ...point, run: null, status: "skipped", reason: "SGD’s α ended at -0.15", evaluations: [] };
    if (!allWell && point.stack === "2: SGD / SGD" && point.seed === 2) return { ...point, status: "diverged", reason: "the loss became NaN at step 7", evaluations: [] };
    const testError = 3 + point.seed;
    return { ...point, hyperparameters: [{ level: 0, name: "alpha", metric: "L0.alpha", initial: 0.01, value: 0.05 + point.seed / 100 }], evaluations: [{ step: 470, epoch: 2, trainLoss: 0.1, testLoss: 0.1, testError }] };
  };
  const study = pretendStudy(studyOf(table1Study(seedsFor(of), full)), { diverges: () => false, change });
  return { study, asked: of, rows: tableRows(study.study, study.points, of) };
}

describe("the table", () => {
  it("summarizes the seeds beside the paper, and counts a diverged run as the worst", () => {
    const { study, asked: of, rows } = trained();
    const row = rows[1]!;
    expect(row.tower.ours).toMatchObject({ count: 3, mean: (3 + 4 + 90) / 3 });
    const deviation = row.tower.ours!.deviation!;
    expect(row.tower.standardError).toBeCloseTo(deviation / Math.sqrt(3), 12);
    expect(row.tower.difference).toBeCloseTo(((3 + 4 + 90) / 3 - 4.81) / Math.sqrt(deviation ** 2 / 3 + 0.1 ** 2 / 3), 10);
    expect(row.rerun!.ours).toEqual({ count: 2, mean: 4, deviation: Math.SQRT2 });
    expect(row.learned).toMatchObject([{ name: "alpha", paper: 0.0769, ours: { count: 2, mean: expect.closeTo(0.055, 12) as number } }]);
    expect(row.remarks).toEqual(["seed 2 diverged, the loss became NaN at step 7", "1 diverged counts as 90.00 %", "rerun: seed 1 skipped, SGD’s α ended at -0.15"]);
    expect(rows[0]).toMatchObject({ tower: { ours: { count: 3, mean: 4 } }, rerun: null, learned: [], remarks: [] });

    const text = textTable({ rows, study, asked: of });
    expect(text).toMatch(/^2 +SGD \/ SGD +30 +32\.33 ± 28\.83 +3 +4\.81 ± 0\.10 +\+1\.0 σ +α 0\.055 ± 0\.005 +α 0\.0769 +4\.00 ± 1\.00 +2 +5\.44 ± 0\.10 +−1\.4 σ$/m);
    expect(text).toContain("row 2, seed 2 diverged, the loss became NaN at step 7\n");
    const markdown = markdownReport({ rows, study, asked: of }, ["machine: a fake one"]);
    expect(markdown).toContain("- machine: a fake one\n");
    expect(markdown).toContain("| 2 | SGD / SGD | 1 | 4.00 % | alpha 0.06 | – (skipped) |");
    expect(markdown).toContain("| 2 | SGD / SGD | 2 | – (diverged) |");
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
  it("prints the table of a study that the store has, trains nothing, and writes it as Markdown", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    storeStudy(store, trained({ paperValues: true, allWell: true }).study);
    store.closeNow();
    const file = join(folder, "table.md");
    const { code, stdout, stderr } = await runCommand(folder, ["table1", "--rows", "1,2", "--paper-values", "--markdown", file]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^ROW +STACK +EPOCHS +ERROR % +N +PAPER .* AT PAPER'S VALUES % +N +DIFFERENCE$/m);
    expect(stdout).toMatch(/^1 +SGD +30 +4\.00 ± 0\.58 +3 +8\.99 ± 0\.05 /m);
    expect(readFileSync(file, "utf8")).toContain("command: `hypertower table1 --rows 1,2 --paper-values`");
    const json = jsonLines((await runCommand(folder, ["table1", "--rows", "1", "--json"])).stdout);
    expect(json).toMatchObject([{ type: "table", rows: [{ row: { number: 1 }, tower: { ours: { count: 3 } } }] }]);
  });

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
    expect(file.stderr).toContain("already exists");
    expect(existsSync(store)).toBe(false);
  });
});
