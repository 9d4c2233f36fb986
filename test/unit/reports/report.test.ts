/** Reports of studies and runs: what they hold is what the store holds, and they stand alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { defaultSmoothing, smoothingSteps } from "../../../src/charts/chartLines.ts";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Resvg } from "@resvg/resvg-js";
import type { WeightsSummary } from "../../../src/shared/kept.ts";
import type { PredictionReport } from "../../../src/shared/predictions.ts";
import { pictureSettings, type PictureSettings } from "../../../src/shared/reports.ts";
import { reportFile } from "../../../src/shared/reportFile.ts";
import { readShared } from "../../../src/shared/sharing.ts";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import { Reports, type ReportsOptions } from "../../../src/main/services/reports.ts";
import { UserError } from "../../../src/main/services/services.ts";
import type { Pieces } from "../../../src/main/reports/index.ts";
import { writeReport } from "../../../src/main/reports/report/write.ts";
import { Store } from "../../../src/main/store/store.ts";
import { figureStudy, pretendStudy, storeStudy, studyOf } from "../../support/pretendStudy.ts";
import { noPredictions } from "../../support/noPredictions.ts";
import { freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";


const steps = 24;
const settings = (of: Partial<PictureSettings> = {}) => pictureSettings.parse(of);

interface Fixture {
  readonly store: Store;
  readonly study: StudyDetail;
  readonly reports: Reports;
}

function stored(detail: StudyDetail, store: Store = openStore()): Fixture {
  const study = storeStudy(store, detail, steps);
  const run = (id: string) => {
    const found = store.getRun(id);
    if (!found) throw new UserError(`There is no run ${id}`);
    return found;
  };
  return { store, study, reports: new Reports({ predictions: noPredictions, run, study: () => study, store, version: "0.1.0" }) };
}

const small = () => figureStudy({ axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "list", values: [1e-4, 1e-2, 100] } }], heights: { values: [0, 2] }, seeds: [0, 1] });

/** CSV without quoted line breaks, as these files are. */
function parseCsv(text: string): Record<string, string>[] {
  const cells = (line: string) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].slice(0, -1).map(([, cell]) => (cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!));
  const [head, ...rows] = text.trimEnd().split("\n");
  const names = head!.split(",");
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, cells(`${row},`)[i]!])));
}

// The files of these reports are made at once, unlike those of weights.
const bytesOf = ({ pieces }: { readonly pieces: Pieces }) => Buffer.concat([...(pieces as Iterable<string | Uint8Array>)].map((piece) => Buffer.from(piece)));
const textOf = (file: { readonly pieces: Pieces }) => bytesOf(file).toString("utf8");

let fixture: Fixture;
let folderOfStore: string;
// Nothing here changes it: one for all tests.
beforeAll(() => {
  folderOfStore = mkdtempSync(join(tmpdir(), "hypertower-report-"));
  fixture = stored(pretendStudy(small()), new Store(folderOfStore, { log: recordedLog() }));
});
afterAll(() => {
  fixture.store.close();
  rmSync(folderOfStore, { recursive: true, force: true });
});
const file = (name: string, of: Partial<PictureSettings> = {}) => fixture.reports.file({ of: { study: fixture.study.id }, file: name, settings: settings(of) });

describe("the tables", () => {
  it("hold every step of every run, value by value as they are in the store", async () => {
    const rows = parseCsv(textOf(await file("steps.csv")));
    let at = 0;
    for (const point of fixture.study.points) {
      const run = fixture.store.getRun(point.run!)!;
      for (const { step, values } of fixture.store.readSteps(run.id)) {
        const row = rows[at++]!;
        expect([row["run"], row["key"], row["height"], row["L0.alpha.initial"], row["seed"], row["step"]]).toEqual([run.id, point.key, `${point.height}`, `${point.values[0]!}`, `${point.seed}`, `${step}`]);
        run.metrics.forEach((metric, i) => expect(row[metric]).toBe(Number.isFinite(values[i]) ? String(values[i]) : "nan"));
        // What only higher towers log is empty here, not zero.
        if (point.height === 0) expect(row["L2.alpha"]).toBe("");
      }
    }
    expect(rows).toHaveLength(at);
    expect(rows.some((row) => row["loss"] === "nan")).toBe(true);
  });

  it("hold every run with its final and best values", async () => {
    const rows = parseCsv(textOf(await file("runs.csv")));
    expect(rows.map(({ key }) => key)).toEqual(fixture.study.points.map(({ key }) => key));
    const index = fixture.study.points.findIndex(({ status }) => status === "finished");
    const { evaluations } = fixture.study.points[index]!;
    expect(rows[index]!["testError.final"]).toBe(String(evaluations.at(-1)!.testError));
    expect(rows[index]!["testError.best"]).toBe(String(Math.min(...evaluations.map(({ testError }) => testError!))));
    const diverged = rows.find(({ status }) => status === "diverged")!;
    expect(diverged["testError.final"]).toBe("");
    expect(diverged["gitCommit"]).toBe("1a2b3c4d5e6f");
  });

  it("hold the curves that are drawn", async () => {
    const rows = parseCsv(textOf(await file("curves.csv")));
    expect(rows).toHaveLength(2 * 3);
    expect(rows[2]).toMatchObject({ curve: "height 0 (SGD)", "L0.alpha.initial": "100", runs: "2", counted: "2", diverged: "2" });
  });
});

describe("the sidecar", () => {
  it("follows its schema and describes every column of every table", async () => {
    const sidecar = reportFile.parse(JSON.parse(textOf(await file("report.json"))));
    expect(sidecar.tables.map((table) => table.file)).toEqual(["curves.csv", "runs.csv", "steps.csv"]);
    for (const table of sidecar.tables) {
      const [head] = textOf(await file(table.file)).split("\n");
      expect(table.columns.map(({ name }) => name)).toEqual(head!.split(","));
      for (const column of table.columns) expect(column.description).not.toBe("");
    }
    expect(sidecar.study?.definition).toEqual({ ...fixture.study.study, name: fixture.study.name });
    expect(sidecar.study?.runs).toEqual({ finished: 9, diverged: 3 });
    expect(sidecar.study).toHaveProperty("trained", fixture.study.trained);
    expect(sidecar.numbers?.values.map(({ curve }) => curve)).toEqual(["height 0 (SGD)", "height 2"]);
    expect(sidecar.environments).toHaveLength(1);
  });
});

describe("the page", () => {
  it("refers to nothing outside itself and runs no script", async () => {
    const page = textOf(await file("report.html")).replace(/data:[\w/]+;base64,[\w+/=]+/g, "data:");
    const references = [...page.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)].map(([, attribute, url]) => attribute ?? url!);
    expect(references.length).toBeGreaterThan(3);
    expect(references.filter((target) => target !== "data:" && !/^#f\d+-/.test(target))).toEqual([]);
    expect(page).not.toMatch(/<script(?! type="application\/json")/);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "").replaceAll("http://www.w3.org/1999/xlink", "")).not.toMatch(/https?:\/\//);
  });

  it("says the verdict, the numbers, every figure and how to repeat it", async () => {
    const page = textOf(await file("report.html"));
    const { figures } = await fixture.reports.describe({ of: { study: fixture.study.id }, settings: settings() });
    expect(figures.map(({ name }) => name)).toEqual(["sensitivity", "metrics", "numbers", "trajectories-L0.alpha"]);
    expect(page.match(/<svg /g)).toHaveLength(figures.length);
    for (const text of ["Usable width", "Sensitivity", "hypertower study study.json", "Runs without a result of their own", "commit 1a2b3c4d5e6f", "onnxruntime-node 1.30.0"]) expect(page).toContain(text);
  });

  it("keeps the names inside its pictures apart", async () => {
    const ids = [...textOf(await file("report.html")).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is read back as the study it is of", async () => {
    const reading = readShared(textOf(await file("report.html")));
    expect(reading).toEqual({ ok: true, kind: "study", value: { ...fixture.study.study, name: fixture.study.name } });
    expect(readShared(textOf(await file("report.json")))).toEqual(reading);
    expect(readShared(textOf(await file("study.json")))).toEqual(reading);
  });

  it("escapes what people name things", async () => {
    const named = stored({ ...pretendStudy(small()), name: `</script><img src=x onerror=alert(1)>` });
    const page = textOf(await named.reports.file({ of: { study: named.study.id }, file: "report.html", settings: settings() }));
    expect(page).not.toContain("<img");
    expect(page).not.toContain("</script><");
    expect(readShared(page)).toMatchObject({ ok: true, value: { name: named.study.name } });
  });
});

describe("the pictures", () => {
  it("have the asked size at the asked scale, in either format", async () => {
    const png = bytesOf(await file("figures/sensitivity.png", { width: 640, height: 400, scale: 1.5 }));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([960, 600]);
    const svg = textOf(await file("figures/sensitivity.svg", { width: 640, height: 400 }));
    expect([new Resvg(svg).width, new Resvg(svg).height]).toEqual([640, 400]);
  });

  it("are really drawn: more than one color, and another picture in another theme", async () => {
    const colors = async (theme: PictureSettings["theme"]) => {
      const { pixels } = new Resvg(textOf(await file("figures/sensitivity.svg", { theme }))).render();
      const seen = new Map<number, number>();
      for (let at = 0; at < pixels.length; at += 4) seen.set(pixels.readUInt32BE(at), (seen.get(pixels.readUInt32BE(at)) ?? 0) + 1);
      return [...seen].sort(([, a], [, b]) => b - a).map(([color]) => color);
    };
    const [light, dark] = [await colors("light"), await colors("dark")];
    expect(light.length).toBeGreaterThan(50);
    expect(light[0]).toBe(0xffffffff);
    expect(dark[0]).toBe(0x161a21ff);
  });

  it("name the configuration they come from", async () => {
    const svg = textOf(await file("figures/sensitivity.svg"));
    expect(svg).toContain("Sensitivity of SGD towers · heights 0, 2, upper levels equal · seeds 0, 1 · mnist 60,000");
    expect(svg).toContain("Hypertower 0.1.0 (commit 1a2b3c4d) · 2026-11-24 · study 20261124-101400-study");
  });

  it("are the same from every surface, and from one time to the next", async () => {
    const folder = join(freshFolder(), "report");
    await fixture.reports.write({ study: fixture.study.id }, folder, settings(), { force: false });
    for (const name of ["figures/sensitivity.png", "figures/numbers.svg", "report.html", "steps.csv"]) {
      expect(readFileSync(join(folder, name)).equals(bytesOf(await file(name)))).toBe(true);
    }
  });

  it("take the metric when they are told to", async () => {
    const first = pictureSettings.parse({ at: "epoch:1" }).at;
    expect(first).toEqual({ epoch: 1 });
    expect(textOf(await file("figures/sensitivity.svg", { at: first }))).toContain("test error at epoch 1");
    const [row] = parseCsv(textOf(await file("curves.csv", { at: first })));
    const runs = fixture.study.points.filter(({ height, values }) => height === 0 && values[0] === Number(row!["L0.alpha.initial"]));
    expect(Number(row!["max"])).toBe(Math.max(...runs.map(({ evaluations }) => evaluations[0]!.testError!)));
    for (const at of ["epoch:0", "step:", "later", { epoch: 1, step: 1 }]) expect(pictureSettings.safeParse({ at }).error?.issues[0]?.message).toMatch(/^at must be final, best/);
  });

  it("lay the paper's values over the headline", async () => {
    expect(textOf(await file("figures/sensitivity.svg", { reference: "figure4a" }))).toContain("paper, Figure 4a (read by eye; 30 epochs, here 2)");
  });
});

describe("the time trained", () => {
  const { milliseconds, from } = { milliseconds: 61_500, from: "steps" as const };
  const sidecarOf = async (id: string, trained: StudyDetail["trained"]) => {
    const { store, study } = fixture;
    const reports = new Reports({ predictions: noPredictions, run: (run) => ({ ...store.getRun(run)!, trained }), study: () => ({ ...study, trained, runningSince: null }), store, version: "0.1.0" });
    const of = id === study.id ? { study: id } : { run: id };
    return reportFile.parse(JSON.parse(textOf(await reports.file({ of, file: "report.json", settings: settings() }))));
  };

  it("is in the sidecar, with how it is known; null before the start", async () => {
    const run = fixture.study.points[0]!.run!;
    expect((await sidecarOf(run, { milliseconds, from })).experiment?.trained).toEqual({ milliseconds, from });
    expect((await sidecarOf(run, null)).experiment?.trained).toBeNull();
    expect((await sidecarOf(fixture.study.id, { milliseconds, from })).study?.trained).toEqual({ milliseconds, from });
  });

  it("need not be there: earlier versions did not write it", async () => {
    const sidecar = await sidecarOf(fixture.study.id, null);
    const { trained: _left, ...study } = sidecar.study!;
    expect(reportFile.safeParse({ ...sidecar, study }).success).toBe(true);
  });
});

describe("a report of a run", () => {
  it("has its pictures, tables and page", async () => {
    const run = fixture.study.points.find(({ height, status }) => height === 2 && status === "finished")!.run!;
    const of = { run };
    const { documents, figures } = await fixture.reports.describe({ of, settings: settings() });
    expect(documents).toEqual(["report.html", "report.json", "experiment.json", "evaluations.csv", "steps.csv"]);
    expect(figures.map(({ name }) => name)).toEqual(["training", "hyperparameters", "hypergradients"]);
    const get = async (name: string) => textOf(await fixture.reports.file({ of, file: name, settings: settings() }));
    expect(parseCsv(await get("steps.csv"))).toHaveLength(steps);
    // As the window smooths by default, and named.
    expect(await get("figures/training.svg")).toContain(`Loss, smoothed over ${smoothingSteps(defaultSmoothing)} steps`);
    expect(reportFile.parse(JSON.parse(await get("report.json"))).experiment).toMatchObject({ run, trained: fixture.store.getRun(run)!.trained });
    expect(await get("report.html")).toContain(`hypertower reproduce ${run}`);
    expect(readShared(await get("report.html"))).toMatchObject({ ok: true, kind: "experiment" });
  });
});

describe("what a run's weights say", () => {
  const run = () => fixture.study.points.find(({ height, status }) => height === 2 && status === "finished")!.run!;
  const keptBest: WeightsSummary = { name: "best", bytes: 9, savedAt: 0, evaluation: { step: 470, epoch: 2, trainLoss: 0.2, testLoss: 0.2, testError: 25 } };
  const predicting = (predictions: Partial<ReportsOptions["predictions"]>) => {
    const { store, study } = fixture;
    const all = { ...noPredictions, kept: () => Promise.resolve({ kept: [keptBest], problem: null }), ...predictions };
    return new Reports({ predictions: all, run: (id) => store.getRun(id)!, study: () => study, store, version: "0" });
  };
  const html = async (reports: Reports) => textOf(await reports.file({ of: { run: run() }, file: "report.html", settings: settings() }));
  const figuresOf = async (reports: Reports) => (await reports.describe({ of: { run: run() }, settings: settings() })).figures.map(({ name }) => name).slice(3);

  it("is drawn for classes, every count in its cell", async () => {
    const report: PredictionReport = { task: "classification", kept: keptBest, examples: 777, loss: 0.1, error: 25, classNames: ["ape", "bee"], confusion: [[731, 13], [8, 25]] };
    const reports = predicting({ report: () => Promise.resolve(report) });
    expect(await figuresOf(reports)).toEqual(["confusion"]);
    const page = await html(reports);
    for (const text of ["731", "13", "25", "ape", "bee", "98 %", "Predicted class", "777 test examples", "25.00 % are misclassified", "(step 470, epoch 2; chosen on the test set, for want of validation data)"]) expect(page).toContain(text);
  });

  it("is drawn for quantities, and told in numbers", async () => {
    const report: PredictionReport = { task: "regression", kept: keptBest, examples: 3, loss: 0.1, rmse: 1.25, mae: 1, bias: -0.5, r2: 0.875, points: [[1, 2], [2, 2], [3, 1]], histogram: { edges: [-2, 0, 2], counts: [1, 2] } };
    const reports = predicting({ report: () => Promise.resolve(report) });
    expect(await figuresOf(reports)).toEqual(["predicted", "residuals"]);
    expect(await html(reports)).toContain("RMSE 1.25, mean absolute error 1, mean residual -0.5, R² 0.875.");
  });

  it("is a text of a character model, written for the page alone", async () => {
    let written = 0;
    const text = () => Promise.resolve({ kept: keptBest, text: `prince <Andrew> ${++written}` });
    const reports = predicting({ report: () => Promise.resolve({ task: "text", kept: keptBest, examples: 3, loss: 1, error: 50 }), text });
    expect(await figuresOf(reports)).toEqual([]);
    expect(written).toBe(0);
    expect(await html(reports)).toMatch(/What its best weights \(chosen on the test set, for want of validation data\) go on with[^]*The prince &lt;Andrew&gt; 1/);
  });

  it("is left out with the reason where it cannot be had", async () => {
    const reports = predicting({ report: () => Promise.reject(new UserError("Nothing can be predicted without the data.")) });
    expect(await figuresOf(reports)).toEqual([]);
    expect(await html(reports)).toContain("Predictions are left out. Nothing can be predicted without the data.");
  });
});

describe("what is not as it should be", () => {
  it("is said before anything is written: runs in the bin, runs that failed, runs to come", async () => {
    const { points } = fixture.study;
    const change = (status: "missing" | "failed" | "waiting", at: number) => ({ ...points[at]!, status, ...(status === "waiting" && { run: null }) });
    const study = { ...fixture.study, status: "stopped" as const, points: [change("missing", 0), change("failed", 1), change("waiting", 2), ...points.slice(3)] };
    const reports = new Reports({ predictions: noPredictions, run: (id) => fixture.store.getRun(id)!, study: () => study, store: fixture.store, version: "0" });
    const { remarks } = await reports.describe({ of: { study: study.id }, settings: settings() });
    expect(remarks).toEqual([
      `1 run of the study is in the bin and left out of every number: ${points[0]!.run!}.`,
      `1 run failed and does not count: ${points[1]!.run!}.`,
      "The study is stopped: 1 run of 12 has not come to an end, and the numbers are those of the others.",
    ]);
    expect(textOf(await reports.file({ of: { study: study.id }, file: "report.html", settings: settings() }))).toContain("1 run failed and does not count");
  });

  it("refuses a study without results", async () => {
    const waiting = stored(pretendStudy(small(), { change: (point) => ({ ...point, run: null, status: "waiting", evaluations: [], steps: 0 }) }));
    await expect(waiting.reports.describe({ of: { study: waiting.study.id }, settings: settings() })).rejects.toThrow("has no run with results yet");
  });

  it("refuses a file that a report does not have, naming those it has", async () => {
    await expect(file("steps.xlsx")).rejects.toThrow(/has no file steps\.xlsx; it has: report\.html, .*figures\/sensitivity\.svg/);
  });

  it("reports a study of stacks without axes", async () => {
    const stacks = studyOf({ stacks: [{ name: "1: SGD", tower: [{ optimizer: "sgd" }] }, { name: "2: Adam / SGD", tower: [{ optimizer: "adam" }, { optimizer: "sgd" }] }], seeds: [0, 1] });
    const of = stored(pretendStudy(stacks, { diverges: () => false }));
    expect((await of.reports.describe({ of: { study: of.study.id }, settings: settings() })).figures.map(({ name }) => name)).toContain("numbers");
    const page = textOf(await of.reports.file({ of: { study: of.study.id }, file: "report.html", settings: settings() }));
    expect(page).toContain("2: Adam / SGD");
  });

  it("gives no times of heights and stacks that trained as one program, and says why", async () => {
    const heights = stored(pretendStudy({ ...small(), cohort: 4 }, { diverges: () => false }));
    const stacks = stored(pretendStudy(studyOf({ stacks: [{ name: "1: SGD", tower: [{ optimizer: "sgd" }] }], seeds: [0, 1], cohort: 4 }), { diverges: () => false }));
    for (const [compared, { reports, study }] of [["Heights", heights], ["Stacks", stacks]] as const) {
      const of = { of: { study: study.id }, settings: settings() };
      const why = `${compared} are not compared by time, because up to 4 runs were trained as one program and share its time; to compare it, train them with --cohort 1.`;
      const page = textOf(await reports.file({ ...of, file: "report.html" }));
      expect(page).toContain(why);
      expect(page).not.toMatch(/Time per step|Cost per level/);
      const rows = parseCsv(textOf(await reports.file({ ...of, file: "runs.csv" })));
      expect(new Set(rows.map((row) => `${row["trainingTime"]}|${row["trainingTime.missing"]}`))).toEqual(new Set([`|${why}`]));
      const { numbers } = reportFile.parse(JSON.parse(textOf(await reports.file({ ...of, file: "report.json" }))));
      expect(numbers!.definitions).not.toHaveProperty("timePerStep");
      expect(numbers!.verdict.remarks).toContain(why);
    }
  });

  it("reports a study of methods: ranks, the range of every knob, and their table", async () => {
    const methods = studyOf({
      methods: {
        factors: { kind: "list", values: [0.1, 1, 10] },
        list: [
          { name: "Prodigy", tower: [{ optimizer: "prodigy" }] },
          { name: "Adam / SGD", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
        ],
      },
      seeds: [0, 1],
    });
    const of = stored(pretendStudy(methods, { diverges: (height, [start = 1], seed) => height === 0 && start > 1 && seed === 0 }));
    const wanted = { of: { study: of.study.id }, settings: settings() };
    expect((await of.reports.describe(wanted)).figures.map(({ name }) => name)).toEqual(["sensitivity", "metrics", "starting-values", "methods", "knob-sweeps"]);
    const page = textOf(await of.reports.file({ ...wanted, file: "report.html" }));
    for (const words of ["first distance 1e-6", "step size of level 1 1e-5", "rank ", "by the usable range of the starting value", ">published default<", "Starting value (d₀, α)", "Prodigy, d₀ 1e-5, seed 0"]) expect(page).toContain(words);
    const rows = parseCsv(textOf(await of.reports.file({ ...wanted, file: "methods.csv" })));
    expect(rows).toMatchObject([{ method: "Prodigy", knob: "L0.d0", kind: "start", published: "0.000001" }, { method: "Adam / SGD", knob: "L0.alpha", kind: "start" }, { method: "Adam / SGD", knob: "L1.alpha", kind: "knob", "width.rank": "" }]);
    expect(rows.slice(0, 2).map((row) => row["best.rank"]).sort()).toEqual(["1", "2"]);
    const runs = parseCsv(textOf(await of.reports.file({ ...wanted, file: "runs.csv" })));
    expect(runs.filter(({ knob }) => knob === "L1.alpha").map(({ method, factor, initial }) => [method, factor, initial])).toEqual([0.1, 0.1, 10, 10].map((factor) => ["Adam / SGD", String(factor), factor < 1 ? "0.000001" : "0.0001"]));
    expect(reportFile.parse(JSON.parse(textOf(await of.reports.file({ ...wanted, file: "report.json" })))).numbers!.values).toMatchObject([{ curve: "Prodigy", stack: "Prodigy" }, { curve: "Adam / SGD" }]);
    expect((await of.reports.file({ ...wanted, file: "figures/methods.svg" })).mediaType).toBe("image/svg+xml");

    expect(rows[0]).toHaveProperty("timePerStep");
    const together = stored(pretendStudy({ ...methods, cohort: 8 }, { diverges: () => false }));
    const cohorts = { of: { study: together.study.id }, settings: settings() };
    const why = "Methods are not compared by time, because up to 8 runs were trained as one program and share its time; to compare it, train them with --cohort 1.";
    const shared = textOf(await together.reports.file({ ...cohorts, file: "report.html" }));
    expect(shared).toContain(why);
    expect(shared).not.toMatch(/Time per step|results and time/);
    const [row] = parseCsv(textOf(await together.reports.file({ ...cohorts, file: "methods.csv" })));
    expect(row).toMatchObject({ "timePerStep.missing": why });
    expect(Object.keys(row!).filter((name) => name.startsWith("timePerStep"))).toEqual(["timePerStep.missing"]);
  });
});

describe("writing", () => {
  const one = (pieces: () => Iterable<string>) => [{ name: "a.csv", mediaType: "text/csv", pieces: () => ["a"] }, { name: "figures/b.svg", mediaType: "image/svg+xml", pieces }];

  it("replaces nothing unless asked", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "a.csv"), "mine");
    await expect(writeReport(folder, one(() => ["b"]), { force: false })).rejects.toThrow("a.csv already exists; to replace it, add --force");
    expect(readdirSync(folder)).toEqual(["a.csv"]);
    await writeReport(folder, one(() => ["b"]), { force: true });
    expect([readFileSync(join(folder, "a.csv"), "utf8"), readFileSync(join(folder, "figures", "b.svg"), "utf8")]).toEqual(["a", "b"]);
  });

  it("leaves nothing behind when it fails half way", async () => {
    const folder = join(freshFolder(), "deep", "report");
    const broken = one(() => {
      throw new Error("the disk went away");
    });
    await expect(writeReport(folder, broken, { force: false })).rejects.toThrow("the disk went away");
    expect(existsSync(join(folder, ".."))).toBe(false);
  });

  it("names a place that is no folder, before anything is written", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "report"), "a file");
    await expect(writeReport(join(folder, "report"), one(() => ["b"]), { force: true })).rejects.toThrow("is a file; a report is a folder of files");
    await expect(writeReport(join(folder, "report", "inside"), one(() => ["b"]), { force: true })).rejects.toThrow("cannot be written");
  });
});
