/** `hypertower study` as people run it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { finalPoints, numbersOf, startStudy } from "../../support/studyProcess.ts";
import { everything } from "../../support/edition.ts";

let folder: string;
let store: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-study-"));
  store = join(folder, "store");
  file = join(folder, "study.json");
  writeFileSync(file, JSON.stringify(small));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Heights 0 and 1, two step sizes of which one diverges, two seeds: 8 runs of 30 steps, for real. */
const small: StudyInput = {
  name: "Small",
  base: {
    dataset: { trainExamples: 640, testExamples: 200 },
    model: { hidden: [8], activation: "relu", outputActivation: "identity" },
    batchSize: 64,
    budget: { epochs: 3 },
    tower: [{ optimizer: "sgd" }],
  },
  axes: [{ values: { kind: "list", values: [0.1, 1e6] } }],
  heights: { values: [0, 1] },
  seeds: [0, 1],
};

const hypertower = (args: readonly string[], onOutput?: Parameters<typeof runCommand>[2]) => runCommand(store, args, onOutput);

describe("hypertower study", () => {
  it("trains a study, ends with its table, and is listed", async () => {
    const { code, stdout, stderr } = await hypertower(["study", file, "--workers", "2"]);
    expect(code, stderr).toBe(0);
    const [header, ...rows] = stdout.split("\n");
    expect(header).toMatch(/^HEIGHT +α of level 0 +RUNS +TEST ERROR ± STANDARD ERROR/);
    expect(rows[0]).toMatch(/^height 0 +0\.1 +2 +\d+\.\d\d ± \d+\.\d\d %$/);
    expect(rows[3]).toMatch(/^height 1 +1e6 +2 +90\.00 ± 0\.00 % +2 diverged count as 90\.00 %$/);
    expect(stdout).toMatch(/\nfinished in [\d.]+ s: \d finished, \d diverged of 8 runs\n/);
    expect(stderr).toContain("[8/8]");
    const listed = jsonLines((await hypertower(["studies", "--json"])).stdout);
    expect(listed).toMatchObject([{ name: "Small", status: "finished", total: 8 }]);
    expect((await hypertower(["studies"])).stdout).toContain("8/8");
    const refused = await hypertower(["study", "--resume", "last"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("is finished");
  });

  it.runIf(everything)("is extended by seeds and values, and keeps what it has", async () => {
    expect((await hypertower(["study", file, "--workers", "2"])).code).toBe(0);
    const before = jsonLines((await hypertower(["runs", "--study", "last", "--json"])).stdout).map(({ id }) => id);
    const { code, stdout, stderr } = await hypertower(["study", "--extend", "last", "--seeds", "3", "--set", "axes.0.values.values=[0.1,0.2,1e6]"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/of 18 runs\n/);
    const after = jsonLines((await hypertower(["runs", "--study", "last", "--json"])).stdout).map(({ id }) => id);
    expect(after).toHaveLength(18);
    expect(after).toEqual(expect.arrayContaining(before));
    const refused = async (...args: string[]) => (await hypertower(["study", "--extend", "last", ...args])).stderr;
    expect(await refused()).toContain("--extend needs an addition");
    expect(await refused("--seeds", "4", "--preset", "demo")).toContain('"demo" cannot be combined with it');
    expect(await refused("--set", "base.budget.epochs=4")).toContain("has runs that its new form trains otherwise");
  }, 240_000);

  it.runIf(everything)("says what it would train and what that takes, and trains nothing", async () => {
    const { code, stdout } = await hypertower(["study", file, "--dry-run", "--seeds", "3"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^height 1 +0\.1 +SGD\(0\.1\) \/ SGD\(0\.1\) +3 +0 1 2$/m);
    expect(stdout).toMatch(/\n12 runs, \d at a time with \d threads? each: about [\d.]+ s, [\d.]+ [kM]B on disk of .* free\n/);
    expect((await hypertower(["studies", "--json"])).stdout).toBe("");
  });

  it("names what is wrong, and leaves no store behind", async () => {
    const failing = async (...args: string[]) => {
      const { code, stderr } = await hypertower(["study", ...args]);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await failing(file, "--set", "axes.0.values.values=[1,1]")).toContain("axes.0.values: the value 1 is there twice");
    expect(await failing()).toContain("give a study file, or --preset with one of: demo, figure4a");
    if (!everything) return;
    expect(await failing("--preset", "figure9")).toContain("there is no preset named figure9");
    expect(await failing(file, "--set", "heights.values=[]")).toContain("heights.values: heights.values needs at least one height");
    expect(await failing(file, "--seeds", "many")).toContain("--seeds many: expected a number of seeds");
    expect(await failing("--resume", "last")).toContain("there is no store in");
    expect(await failing("--resume", "x", "--seeds", "3")).toContain("cannot be combined with it");
  });

  /** What interrupted studies have to come to; trained once. */
  let whole: Promise<unknown> | undefined;
  const undisturbed = () => (whole ??= trainUndisturbed());
  async function trainUndisturbed(): Promise<unknown> {
    const study = startStudy(join(folder, "other"), long());
    expect(await study.ended).toBe(0);
    return numbersOf(finalPoints(study));
  }
  const long = () => [file, "--workers", "2", "--set", `base.budget.epochs=${everything ? 40 : 15}`];

  it("stops on Ctrl+C with exit code 130 and goes on from there", async () => {
    let asked = false;
    const stopped = await hypertower(["study", ...long(), "--json"], (stdout, interrupt) => {
      // Once: a second time forces the end, before it says how to go on.
      if (asked || !stdout.includes('"type":"run"')) return;
      asked = true;
      interrupt();
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toMatch(/to resume: hypertower study --resume \S+/);
    const resumed = await hypertower(["study", "--resume", "last", "--json"]);
    const { points, ...end } = jsonLines(resumed.stdout).at(-1)!;
    expect(resumed.code, `${resumed.stderr}${JSON.stringify(end)}${(points as { key: string; status: string; reason: string | null }[]).map(({ key, status, reason }) => `\n${key}: ${status}, ${reason}`).join("")}`).toBe(0);
    expect(numbersOf(finalPoints({ lines: jsonLines(resumed.stdout) }))).toEqual(await undisturbed());
  });

  it.runIf(everything)("loses a few seconds at most when everything is killed, and comes to the very same numbers", async () => {
    let ended = 0;
    const killed = startStudy(store, long(), (line) => {
      if (line["type"] === "run" && ++ended === 3) killed.kill();
    });
    expect(await killed.ended).toBeNull();
    const [left] = jsonLines((await hypertower(["studies", "--json"])).stdout);
    expect(left).toMatchObject({ status: "interrupted" });
    expect(Number(left!["finished"]) + Number(left!["diverged"])).toBeLessThan(8);
    const resumed = startStudy(store, ["--resume", "last"]);
    expect(await resumed.ended).toBe(0);
    expect(numbersOf(finalPoints(resumed))).toEqual(await undisturbed());
  });
});
