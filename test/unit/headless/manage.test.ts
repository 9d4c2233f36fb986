/** Runs and studies listed, tagged, renamed, deleted, restored and compared from the command line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { archiveCommand } from "../../../src/main/headless/commands/archive.ts";
import { logs } from "../../../src/main/headless/commands/logs.ts";
import { compare } from "../../../src/main/headless/commands/compare.ts";
import { exportCommand, exportStudy } from "../../../src/main/headless/commands/export.ts";
import { remove, rename, restore, tag } from "../../../src/main/headless/commands/manage.ts";
import { runs, type RunsOptions } from "../../../src/main/headless/commands/runs.ts";
import { showStudy, studies } from "../../../src/main/headless/commands/studies.ts";
import { programFiles } from "../../../src/main/headless/index.ts";
import { readNames, readTags } from "../../../src/main/services/names.ts";
import { findStudyPreset } from "../../../src/shared/study/presets.ts";
import { study as studySchema } from "../../../src/shared/study/study.ts";
import { everything } from "../../support/edition.ts";
import { jsonLines, runCommand, tiny } from "../../support/commandLine.ts";
import { aRun, anEnvironment, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

let store: string;
let printed: string[];

beforeEach(() => {
  store = join(freshFolder(), "store");
  printed = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.push(String(text).trimEnd());
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

/** Three ended runs: a, b and c, with step sizes 0.1, 0.01 and 0.001 and test errors 3, 2 and 1. */
function fill(): Record<"a" | "b" | "c", string> {
  const open = openStore(store);
  const ids = (["a", "b", "c"] as const).map((name, i) => {
    const alpha = 10 ** (-1 - i);
    const run = aRun({ name, seed: i, tower: [{ optimizer: "sgd", alpha }] }, { id: `2026010${i + 1}-00000${i}-${name}`, createdAt: Date.now() - (3 - i) * 86_400_000 });
    open.createRun(run);
    open.beginSeries(run.id, ["loss"], anEnvironment);
    open.appendRows(run.id, rowsOf([[1, 0.5, 0.4]]));
    const evaluation = { step: 3, epoch: 1, trainLoss: 0.5, testLoss: 0.4, testError: 3 - i };
    open.addEvaluation(run.id, evaluation);
    open.saveRun({ ...run, status: name === "c" ? "diverged" : "finished", steps: 3, totalSteps: 3, epoch: 1, evaluation, testError: evaluation.testError, hyperparameters: [{ level: 0, name: "alpha", metric: "L0.alpha", initial: alpha, value: alpha }] });
    return [name, run.id] as const;
  });
  open.closeNow();
  return Object.fromEntries(ids) as Record<"a" | "b" | "c", string>;
}

const none = { status: [], tag: [], where: [] };
const names = async (options: Partial<RunsOptions>) => {
  printed.length = 0;
  expect(await runs(programFiles, { ...none, ...options, store, json: true })).toBe(0);
  return printed.map((line) => (JSON.parse(line) as { name: string }).name);
};
const printedTexts = () => printed.join("\n");

describe("hypertower runs", () => {
  it("filters, sorts and limits", async () => {
    fill();
    expect(await names({})).toEqual(["c", "b", "a"]);
    expect(await names({ limit: 2 })).toEqual(["c", "b"]);
    expect(await names({ status: ["finished"] })).toEqual(["b", "a"]);
    expect(await names({ where: ["alpha<0.05"], sort: "alpha" })).toEqual(["c", "b"]);
    expect(await names({ where: ["testError>=2", "seed=1"] })).toEqual(["b"]);
    expect(await names({ sort: "testError:desc", limit: 1 })).toEqual(["a"]);
    expect(await names({ name: "[ab]" })).toEqual([]);
    expect(await names({ name: "?", since: "36h" })).toEqual(["c"]);
    expect(await names({ until: "36h" })).toEqual(["b", "a"]);
    await expect(names({ status: ["finishd"] })).rejects.toThrow("--status finishd: did you mean finished? Allowed: queued,");
    await expect(names({ columns: ["alhpa"] })).rejects.toThrow("did you mean alpha");
    printed.length = 0;
    await runs(programFiles, { ...none, columns: ["name", "alpha", "testError"], csv: true, store });
    expect(printed).toEqual(["name,alpha,testError\r\nc,0.001,1\r\nb,0.01,2\r\na,0.1,3"]);
    printed.length = 0;
    await runs(programFiles, { ...none, where: ["alpha>1"], store });
    expect(printed).toEqual(["no run matches"]);
  });

  it("finds runs by id, beginning of an id, or name, and names candidates", async () => {
    const { a } = fill();
    const shown = async (wanted: string) => {
      printed.length = 0;
      await tag(programFiles, "run", [wanted], { add: [], remove: [], store });
      return printedTexts();
    };
    for (const wanted of [a, a.slice(0, 10), "a"]) expect(await shown(wanted)).toBe(`a (${a}): no tags`);
    expect(await shown("last")).toContain("c (");
    await rename(programFiles, "run", "b", "a", { store });
    const ambiguous = await shown("a").catch((error: unknown) => error);
    expect(ambiguous).toMatchObject({ message: "a matches 2 runs; give one of their ids:", fields: [{ message: expect.stringContaining("20260102") as string }, { message: expect.stringContaining(a) as string }] });
    await expect(shown("20260102-000001-x")).rejects.toThrow("did you mean 20260102-000001-b");
    await expect(shown("nothing-like-it")).rejects.toThrow('there is no run nothing-like-it; "hypertower runs" lists them');
  });

  it("tags runs, and refuses what is no tag before it changes anything", async () => {
    fill();
    await tag(programFiles, "run", ["a", "b", "a"], { add: ["paper", "x"], remove: [], store });
    await tag(programFiles, "run", ["b"], { add: ["y"], remove: ["x", "never"], store });
    expect(await names({ tag: ["paper"] })).toEqual(["b", "a"]);
    expect(await names({ tag: ["paper", "y"] })).toEqual(["b"]);
    await expect(tag(programFiles, "run", ["a"], { add: ["two words"], remove: [], store })).rejects.toThrow("--add two words: a tag has letters");
    await expect(tag(programFiles, "run", ["c"], { add: Array.from({ length: 21 }, (_, i) => `t${i}`), remove: [], store })).rejects.toThrow("would have 21 tags; at most 20 are allowed");
    printed.length = 0;
    await runs(programFiles, { ...none, store });
    expect(printedTexts()).toMatch(/^RUN .* NAME +TAGS\n.*c\n.* b +paper y\n.* a +paper x$/);
    expect(readTags(store, "runs")).toEqual(["paper", "x", "y"]);
    expect(readNames(store, "runs", false, 2).map(({ name }) => name)).toEqual(["c", "b"]);
    expect(readNames(join(store, "missing"), "runs", false, 2)).toEqual([]);
  });

  it("moves runs to the bin only when that is confirmed, and brings them back", async () => {
    const { a } = fill();
    await expect(remove(programFiles, "run", ["a", "b"], { store })).rejects.toThrow(/^Move 2 runs to the bin: a \(.*\), b \(.*\) needs a confirmation: add --yes$/);
    expect(await names({})).toEqual(["c", "b", "a"]);
    expect(await remove(programFiles, "run", ["a", "b"], { store, yes: true })).toBe(0);
    expect(await names({})).toEqual(["c"]);
    expect(await names({ bin: true })).toEqual(["b", "a"]);
    await remove(programFiles, "run", ["a"], { store, yes: true });
    expect(printedTexts()).toContain("in the bin already");
    await restore(programFiles, "run", ["a", "c"], { store });
    expect(printedTexts()).toContain(`Restored 1 run: a (${a}).`);
    await expect(restore(programFiles, "run", ["a"], { store })).rejects.toThrow("is not in the bin");
    expect(await names({})).toEqual(["c", "a"]);
    await expect(rename(programFiles, "run", "a", "  ", { store })).rejects.toThrow("a name has 1 to 200 characters");
  });

  it("compares runs: what differs, the results, and their curves", async () => {
    fill();
    await compare(programFiles, "run", ["a", "b"], { store });
    const text = printedTexts();
    expect(text).toMatch(/α of level 0 +0\.1 +0\.01\n/);
    expect(text).toMatch(/test error, last +3\.00 % +2\.00 %/);
    expect(text).not.toContain("batch size");
    const folder = freshFolder();
    const written = async (file: string) => {
      await compare(programFiles, "run", ["a", "b", "c"], { store, out: join(folder, file) });
      return readFileSync(join(folder, file));
    };
    expect((await written("x.csv")).toString()).toContain("results,\"test error, last\",3,2,1\r\n");
    expect((await written("x.md")).toString()).toMatch(/^\| {2}\| a \| b \| c \|\n\| --- \| ---: \|/);
    expect((await written("x.html")).toString()).toContain('<th scope="row">status</th><td>finished</td><td>finished</td><td>diverged</td>');
    expect(JSON.parse((await written("x.json")).toString())).toMatchObject({ kind: "run", names: ["a", "b", "c"] });
    const svg = (await written("x.svg")).toString();
    for (const words of ["Comparison of 3 runs", "Loss of the batch", "Test error"]) expect(svg).toContain(words);
    expect((await written("x.png")).subarray(1, 4).toString()).toBe("PNG");
    await expect(written("x.png")).rejects.toThrow("already exists; to replace it, add --force");
    await expect(written("x.pdf")).rejects.toThrow("there is no format for .pdf. Known endings: .csv, .json, .md, .html, .svg or .png");
    await expect(compare(programFiles, "run", ["a", "last", "a"], { store })).resolves.toBe(0);
    await expect(compare(programFiles, "run", ["a", "a"], { store })).rejects.toThrow("at least two different runs");
  });

  it("exports in the format of the file's ending", async () => {
    fill();
    const folder = freshFolder();
    const written = async (file: string) => {
      await exportCommand(programFiles, "a", { store, checkpoint: "best", out: join(folder, file) });
      return readFileSync(join(folder, file), "latin1");
    };
    expect(await written("a.csv")).toContain("loss");
    expect(await written("a-pytorch.py")).toContain("torch");
    expect(await written("a.html")).toMatch(/^<!doctype html>/i);
    expect(await written("a.svg")).toMatch(/^<svg/);
    expect((await written("a.hypertower")).length).toBeGreaterThan(1_000);
    await expect(written("a.py")).rejects.toThrow("a .py file may be for pytorch, optax, keras or library; add --format");
    await expect(archiveCommand(programFiles, ["a"], { store, out: join(folder, "a.tar") })).rejects.toThrow("Known endings: .hypertower");
    await expect(logs(programFiles, { store, out: join(folder, "a.tgz") })).rejects.toThrow("Known endings: .zip");
    await expect(written("a.xlsx")).rejects.toThrow("there is no format for .xlsx");
    await expect(exportCommand(programFiles, "a", { store, checkpoint: "best" })).rejects.toThrow("name a format with --format");
    expect(existsSync(join(folder, "a.xlsx"))).toBe(false);
  });
});

describe("hypertower studies", () => {
  const definition = (name: string) => studySchema.parse({ ...findStudyPreset("demo")!.study, name });

  function fillStudies() {
    const open = openStore(store);
    for (const [i, name] of ["first", "second"].entries()) {
      open.studies.create({ id: `s${i}`, name, status: "finished", reason: null, study: definition(name), createdAt: 1_000 + i, startedAt: 1_000, finishedAt: 2_000, deletedAt: null, total: 2, workers: 1, trained: { milliseconds: 1_000, from: "clock" }, runningSince: null });
    }
    open.closeNow();
  }

  it("are listed, tagged, compared, deleted and restored like runs", async () => {
    fillStudies();
    const listed = async (options: Partial<RunsOptions> = {}) => {
      printed.length = 0;
      await studies(programFiles, { ...none, ...options, store, json: true });
      return printed.map((line) => (JSON.parse(line) as { name: string }).name);
    };
    expect(await listed()).toEqual(["second", "first"]);
    expect(await listed({ sort: "name", limit: 1 })).toEqual(["first"]);
    expect(await listed({ where: ["name~sec*"] })).toEqual(["second"]);
    await tag(programFiles, "study", ["first"], { add: ["paper"], remove: [], store });
    expect(await listed({ tag: ["paper"] })).toEqual(["first"]);
    printed.length = 0;
    await showStudy(programFiles, "first", { store });
    expect(printedTexts()).toMatch(/tags +paper/);
    printed.length = 0;
    await compare(programFiles, "study", ["first", "second"], { store });
    expect(printedTexts()).toMatch(/verdict/);
    await expect(compare(programFiles, "study", ["first", "second"], { store, out: "x.png" })).rejects.toThrow("a comparison of studies is a table");
    await remove(programFiles, "study", ["first"], { store, yes: true, withRuns: true });
    expect(await listed()).toEqual(["second"]);
    await restore(programFiles, "study", ["first"], { store });
    await rename(programFiles, "study", "first", "renamed", { store });
    expect(await listed()).toEqual(["second", "renamed"]);
    const file = join(freshFolder(), "study.json");
    await exportStudy(programFiles, "renamed", { store, checkpoint: "best", out: file });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ id: "s0", name: "renamed" });
  });
});

describe.skipIf(!everything)("the command line as a process", () => {
  it("tags and names new runs, reports every step, is quiet, and reads its configuration", async () => {
    const one = await runCommand(store, ["train", ...tiny, "--set", "budget.epochs=1", "--name", "first one", "--tag", "a,b", "--json", "--step-events", "all"]);
    expect(one.code, one.stderr).toBe(0);
    const lines = jsonLines(one.stdout);
    expect(lines.filter(({ event }) => event === "step").map(({ step }) => step)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect([lines[0]!["event"], lines.at(-1)!["event"], lines.at(-1)!["status"]]).toEqual(["started", "ended", "finished"]);
    expect(await runCommand(store, ["train", ...tiny, "--set", "budget.epochs=1", "--quiet"])).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await runCommand(store, ["train", "--preset", "nope", "--quiet"])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("known presets") as string });
    const listed = await runCommand(store, ["runs"], undefined, { HYPERTOWER_RUNS_COLUMNS: "name,tags", HYPERTOWER_RUNS_SORT: "name" });
    expect(listed.stdout).toMatch(/^NAME +TAGS\nfirst one +a b\n/);
    expect((await runCommand(store, ["config", "set", "runs.limit", "1"])).code).toBe(0);
    expect((await runCommand(store, ["runs", "--json"])).stdout.trimEnd().split("\n")).toHaveLength(1);
    expect((await runCommand(store, ["__complete", "1", "show", "fir"])).stdout).toMatch(/^none\nfirst one\tfinished /);
    expect((await runCommand(store, ["runs", "delete", "first one"])).stderr).toContain("needs a confirmation: add --yes");
  }, 120_000);
});
