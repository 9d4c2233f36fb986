/** Reports of studies and runs: what they hold is what the store holds, and they stand alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Resvg } from "@resvg/resvg-js";
import { pictureSettings, type PictureSettings } from "../../../src/shared/reports.ts";
import { reportFile } from "../../../src/shared/reportFile.ts";
import { readShared } from "../../../src/shared/sharing.ts";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import { Reports } from "../../../src/main/services/reports.ts";
import { UserError } from "../../../src/main/services/services.ts";
import { writeReport } from "../../../src/main/reports/report/write.ts";
import { Store } from "../../../src/main/store/store.ts";
import { figureStudy, pretendStudy, storeStudy, studyOf } from "../../support/pretendStudy.ts";
import { freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";

const noWeights = () => {
  throw new UserError("none are kept");
};

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
  return { store, study, reports: new Reports({ weights: noWeights, run, study: () => study, store, version: "0.1.0" }) };
}

const small = () => figureStudy({ axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "list", values: [1e-4, 1e-2, 100] } }], heights: { values: [0, 2] }, seeds: [0, 1] });

/** CSV without quoted line breaks, as these files are. */
function parseCsv(text: string): Record<string, string>[] {
  const cells = (line: string) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].slice(0, -1).map(([, cell]) => (cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!));
  const [head, ...rows] = text.trimEnd().split("\n");
  const names = head!.split(",");
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, cells(`${row},`)[i]!])));
}

const textOf = ({ pieces }: { readonly pieces: Iterable<string | Uint8Array> }) => Buffer.concat([...pieces].map((piece) => Buffer.from(piece))).toString("utf8");
const bytesOf = ({ pieces }: { readonly pieces: Iterable<string | Uint8Array> }) => Buffer.concat([...pieces].map((piece) => Buffer.from(piece)));

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
  it("hold every step of every run, value by value as they are in the store", () => {
    const rows = parseCsv(textOf(file("steps.csv")));
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

  it("hold every run with its final and best values", () => {
    const rows = parseCsv(textOf(file("runs.csv")));
    expect(rows.map(({ key }) => key)).toEqual(fixture.study.points.map(({ key }) => key));
    const index = fixture.study.points.findIndex(({ status }) => status === "finished");
    const { evaluations } = fixture.study.points[index]!;
    expect(rows[index]!["testError.final"]).toBe(String(evaluations.at(-1)!.testError));
    expect(rows[index]!["testError.best"]).toBe(String(Math.min(...evaluations.map(({ testError }) => testError!))));
    const diverged = rows.find(({ status }) => status === "diverged")!;
    expect(diverged["testError.final"]).toBe("");
    expect(diverged["gitCommit"]).toBe("1a2b3c4d5e6f");
  });

  it("hold the curves that are drawn", () => {
    const rows = parseCsv(textOf(file("curves.csv")));
    expect(rows).toHaveLength(2 * 3);
    expect(rows[2]).toMatchObject({ curve: "height 0 (SGD)", "L0.alpha.initial": "100", runs: "2", counted: "2", diverged: "2" });
  });
});

describe("the sidecar", () => {
  it("follows its schema and describes every column of every table", () => {
    const sidecar = reportFile.parse(JSON.parse(textOf(file("report.json"))));
    expect(sidecar.tables.map((table) => table.file)).toEqual(["curves.csv", "runs.csv", "steps.csv"]);
    for (const table of sidecar.tables) {
      const [head] = textOf(file(table.file)).split("\n");
      expect(table.columns.map(({ name }) => name)).toEqual(head!.split(","));
      for (const column of table.columns) expect(column.description).not.toBe("");
    }
    expect(sidecar.study?.definition).toEqual({ ...fixture.study.study, name: fixture.study.name });
    expect(sidecar.study?.runs).toEqual({ finished: 9, diverged: 3 });
    expect(sidecar.numbers?.values.map(({ curve }) => curve)).toEqual(["height 0 (SGD)", "height 2"]);
    expect(sidecar.environments).toHaveLength(1);
  });
});

describe("the page", () => {
  it("refers to nothing outside itself and runs no script", () => {
    const page = textOf(file("report.html")).replace(/data:[\w/]+;base64,[\w+/=]+/g, "data:");
    const references = [...page.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)].map(([, attribute, url]) => attribute ?? url!);
    expect(references.length).toBeGreaterThan(3);
    expect(references.filter((target) => target !== "data:" && !/^#f\d+-/.test(target))).toEqual([]);
    expect(page).not.toMatch(/<script(?! type="application\/json")/);
    expect(page.replaceAll("http://www.w3.org/2000/svg", "").replaceAll("http://www.w3.org/1999/xlink", "")).not.toMatch(/https?:\/\//);
  });

  it("says the verdict, the numbers, every figure and how to repeat it", () => {
    const page = textOf(file("report.html"));
    const { figures } = fixture.reports.describe({ of: { study: fixture.study.id }, settings: settings() });
    expect(figures.map(({ name }) => name)).toEqual(["sensitivity", "metrics", "numbers", "trajectories-L0.alpha"]);
    expect(page.match(/<svg /g)).toHaveLength(figures.length);
    for (const text of ["Usable width", "Sensitivity", "hypertower study study.json", "Runs that did not finish", "commit 1a2b3c4d5e6f", "onnxruntime-node 1.30.0"]) expect(page).toContain(text);
  });

  it("keeps the names inside its pictures apart", () => {
    const ids = [...textOf(file("report.html")).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is read back as the study it is of", () => {
    const reading = readShared(textOf(file("report.html")));
    expect(reading).toEqual({ ok: true, kind: "study", value: { ...fixture.study.study, name: fixture.study.name } });
    expect(readShared(textOf(file("report.json")))).toEqual(reading);
    expect(readShared(textOf(file("study.json")))).toEqual(reading);
  });

  it("escapes what people name things", () => {
    const named = stored({ ...pretendStudy(small()), name: `</script><img src=x onerror=alert(1)>` });
    const page = textOf(named.reports.file({ of: { study: named.study.id }, file: "report.html", settings: settings() }));
    expect(page).not.toContain("<img");
    expect(page).not.toContain("</script><");
    expect(readShared(page)).toMatchObject({ ok: true, value: { name: named.study.name } });
  });
});

describe("the pictures", () => {
  it("have the asked size at the asked scale, in either format", () => {
    const png = bytesOf(file("figures/sensitivity.png", { width: 640, height: 400, scale: 1.5 }));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([960, 600]);
    const svg = textOf(file("figures/sensitivity.svg", { width: 640, height: 400 }));
    expect([new Resvg(svg).width, new Resvg(svg).height]).toEqual([640, 400]);
  });

  it("are really drawn: more than one color, and another picture in another theme", () => {
    const colors = (theme: PictureSettings["theme"]) => {
      const { pixels } = new Resvg(textOf(file("figures/sensitivity.svg", { theme }))).render();
      const seen = new Map<number, number>();
      for (let at = 0; at < pixels.length; at += 4) seen.set(pixels.readUInt32BE(at), (seen.get(pixels.readUInt32BE(at)) ?? 0) + 1);
      return [...seen].sort(([, a], [, b]) => b - a).map(([color]) => color);
    };
    const [light, dark] = [colors("light"), colors("dark")];
    expect(light.length).toBeGreaterThan(50);
    expect(light[0]).toBe(0xffffffff);
    expect(dark[0]).toBe(0x161a21ff);
  });

  it("name the configuration they come from", () => {
    const svg = textOf(file("figures/sensitivity.svg"));
    expect(svg).toContain("Sensitivity of SGD towers · heights 0, 2, upper levels equal · seeds 0, 1 · mnist 60,000");
    expect(svg).toContain("Hypertower 0.1.0 (commit 1a2b3c4d) · 2026-11-24 · study 20261124-101400-study");
  });

  it("are the same from every surface, and from one time to the next", async () => {
    const folder = join(freshFolder(), "report");
    await fixture.reports.write({ study: fixture.study.id }, folder, settings(), { force: false });
    for (const name of ["figures/sensitivity.png", "figures/numbers.svg", "report.html", "steps.csv"]) {
      expect(readFileSync(join(folder, name)).equals(bytesOf(file(name)))).toBe(true);
    }
  });

  it("take the metric when they are told to", () => {
    const first = pictureSettings.parse({ at: "epoch:1" }).at;
    expect(first).toEqual({ epoch: 1 });
    expect(textOf(file("figures/sensitivity.svg", { at: first }))).toContain("test error at epoch 1");
    const [row] = parseCsv(textOf(file("curves.csv", { at: first })));
    const runs = fixture.study.points.filter(({ height, values }) => height === 0 && values[0] === Number(row!["L0.alpha.initial"]));
    expect(Number(row!["max"])).toBe(Math.max(...runs.map(({ evaluations }) => evaluations[0]!.testError!)));
    for (const at of ["epoch:0", "step:", "later", { epoch: 1, step: 1 }]) expect(pictureSettings.safeParse({ at }).error?.issues[0]?.message).toMatch(/^at must be final, best/);
  });

  it("lay the paper's values over the headline", () => {
    expect(textOf(file("figures/sensitivity.svg", { reference: "figure4a" }))).toContain("paper, Figure 4a (read by eye)");
  });
});

describe("a report of a run", () => {
  it("has its pictures, tables and page", () => {
    const run = fixture.study.points.find(({ height, status }) => height === 2 && status === "finished")!.run!;
    const of = { run };
    const { documents, figures } = fixture.reports.describe({ of, settings: settings() });
    expect(documents).toEqual(["report.html", "report.json", "experiment.json", "evaluations.csv", "steps.csv"]);
    expect(figures.map(({ name }) => name)).toEqual(["training", "hyperparameters", "hypergradients"]);
    const get = (name: string) => textOf(fixture.reports.file({ of, file: name, settings: settings() }));
    expect(parseCsv(get("steps.csv"))).toHaveLength(steps);
    expect(reportFile.parse(JSON.parse(get("report.json"))).experiment?.run).toBe(run);
    expect(get("report.html")).toContain(`hypertower reproduce ${run}`);
    expect(readShared(get("report.html"))).toMatchObject({ ok: true, kind: "experiment" });
  });
});

describe("what is not as it should be", () => {
  it("is said before anything is written: runs in the bin, runs that failed, runs to come", () => {
    const { points } = fixture.study;
    const change = (status: "missing" | "failed" | "waiting", at: number) => ({ ...points[at]!, status, ...(status === "waiting" && { run: null }) });
    const study = { ...fixture.study, status: "stopped" as const, points: [change("missing", 0), change("failed", 1), change("waiting", 2), ...points.slice(3)] };
    const reports = new Reports({ weights: noWeights, run: (id) => fixture.store.getRun(id)!, study: () => study, store: fixture.store, version: "0" });
    const { remarks } = reports.describe({ of: { study: study.id }, settings: settings() });
    expect(remarks).toEqual([
      `1 run of the study is in the bin and left out of every number: ${points[0]!.run!}.`,
      `1 run failed and does not count: ${points[1]!.run!}.`,
      "The study is stopped: 1 run of 12 has not come to an end, and the numbers are those of the others.",
    ]);
    expect(textOf(reports.file({ of: { study: study.id }, file: "report.html", settings: settings() }))).toContain("1 run failed and does not count");
  });

  it("refuses a study without results", () => {
    const waiting = stored(pretendStudy(small(), { change: (point) => ({ ...point, run: null, status: "waiting", evaluations: [], steps: 0 }) }));
    expect(() => waiting.reports.describe({ of: { study: waiting.study.id }, settings: settings() })).toThrow("has no run with results yet");
  });

  it("refuses a file that a report does not have, naming those it has", () => {
    expect(() => file("steps.xlsx")).toThrow(/has no file steps\.xlsx; it has: report\.html, .*figures\/sensitivity\.svg/);
  });

  it("reports a study of stacks without axes", () => {
    const stacks = studyOf({ stacks: [{ name: "1: SGD", tower: [{ optimizer: "sgd" }] }, { name: "2: Adam / SGD", tower: [{ optimizer: "adam" }, { optimizer: "sgd" }] }], seeds: [0, 1] });
    const of = stored(pretendStudy(stacks, { diverges: () => false }));
    expect(of.reports.describe({ of: { study: of.study.id }, settings: settings() }).figures.map(({ name }) => name)).toContain("numbers");
    const page = textOf(of.reports.file({ of: { study: of.study.id }, file: "report.html", settings: settings() }));
    expect(page).toContain("2: Adam / SGD");
  });
});

describe("writing", () => {
  const one = (pieces: () => Iterable<string>) => [{ name: "a.csv", mediaType: "text/csv", pieces: () => ["a"] }, { name: "figures/b.svg", mediaType: "image/svg+xml", pieces }];

  it("replaces nothing unless asked", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "a.csv"), "mine");
    await expect(writeReport(folder, one(() => ["b"]), { force: false })).rejects.toThrow("a.csv is there already; --force replaces it");
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
