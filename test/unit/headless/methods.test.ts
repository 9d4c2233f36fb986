import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cellsTable, resultsTable } from "../../../src/main/headless/study/table.ts";
import { methodsObject } from "../../../src/main/headless/study/methods.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { methodPresets } from "../../../src/shared/study/methodPresets.ts";
import { knobsOf, namedKnob } from "../../../src/shared/study/methods.ts";
import { findStudyPreset, quickEdition } from "../../../src/shared/study/presets.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { programFiles } from "../../../src/main/headless/index.ts";
import { study, type StudyOptions } from "../../../src/main/headless/commands/study.ts";
import { everything } from "../../support/edition.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { makePoint, makeStudy } from "../../support/studyPoints.ts";

const small: StudyInput = {
  name: "Small",
  base: { dataset: { trainExamples: 640, testExamples: 200 }, model: { hidden: [8] }, batchSize: 64, budget: { epochs: 1 }, engine: "reference" },
  methods: {
    factors: { kind: "list", values: [0.1, 1, 10] },
    list: [
      { name: "Adam", tower: [{ optimizer: "adam", schedules: { alpha: { pieces: [{ kind: "warmUp", until: 0.5 }, { kind: "cosine" }] } } }] },
      { name: "tower", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
    ],
  },
  seeds: [0, 1],
};

describe("the tables of a study of methods", () => {
  const definition = makeStudy(small);
  const expansion = expandStudy(definition);
  const cells = expansion.ok ? expansion.cells : [];
  const error = (stack: string, [start = 1, knob = 1]: readonly number[], seed: number) => (stack === "Adam" && start > 1 ? null : 3 + Math.abs(Math.log10(start)) + 5 * Math.abs(Math.log10(knob)) + seed / 10);
  const points = cells.map(({ key, height, stack, values, seed }) => ({ ...makePoint(height, values, seed, { error: error(stack!, values, seed) }), key, stack: stack! }));

  it("have the numbers of every method and knob, the ranks, the mean at each factor, and the verdict", () => {
    const text = resultsTable(definition, points);
    expect(text).toMatch(/^METHOD +KNOB AS PUBLISHED +USABLE RANGE \(decades\) +BEST TEST ERROR \(%\) +BEST FACTOR +AT THE DEFAULT \(%\) +DIVERGED \(%\) +TIME PER STEP \(ms\)$/m);
    expect(text).toMatch(/^tower +step size 0\.001 +2\.0 \(1\.2 to 2\.0\) +3\.05 \(2\.42 to 3\.68\)/m);
    expect(text).toMatch(/^ +step size of level 1 1e-5 +0\.4 \(0\.3 to 0\.5\) +3\.05/m);
    expect(text).toMatch(/^RANK BY +USABLE RANGE +NEAR THE LOWEST/m);
    expect(text).toMatch(/^Adam +step size 0\.001 +4\.05 ± 0\.05 +3\.05 ± 0\.05 +90\.00 ± 0\.00 \(2 of 2 lost\)$/m);
    expect(text).toMatch(/^The usable range of the starting value is widest with tower \(at least 2\.0 decades\), or as far as the seeds tell Adam \(at least 1\.0 decades\); with tower the best test error is 3\.05 %, the lowest too, and a step takes no longer than with Adam\.$/m);
  });

  it("give no times where runs trained as one program, and say why", () => {
    const together = { ...definition, cohort: 4 };
    const text = resultsTable(together, points);
    expect(text).not.toContain("TIME PER STEP");
    expect(text).toMatch(/^- Methods are not compared by time, because up to 4 runs were trained as one program and share its time; to compare it, train them with --cohort 1\.$/m);
    expect(methodsObject(together, points)).toMatchObject({ noTimes: expect.stringContaining("up to 4 runs") as string });
    expect(methodsObject(definition, points)).not.toHaveProperty("noTimes");
  });

  it("list the planned runs by what they start with", () => {
    const text = cellsTable(definition, cells);
    expect(text).toMatch(/^METHOD +START +TOWER/m);
    expect(text).toMatch(/^tower +α of level 1 1e-4 +Adam \/ SGD\(1e-4\) +1 +0 1$/m);
  });
});

describe("the presets of methods", () => {
  it.each(methodPresets.map(({ name }) => name))("%s has twelve methods at their published defaults, and runs that contradict nothing", (name) => {
    const preset = makeStudy(findStudyPreset(name)!.study);
    expect(preset.methods!.list).toHaveLength(12);
    expect(preset.methods!.list.map((method) => namedKnob(method, knobsOf(method)[0])).map(({ path, published }) => `${path} ${published}`)).toEqual([
      "L0.alpha 0.01", "L0.alpha 0.001", "L0.alpha 0.001", "L0.alpha 0.002", "L0.alpha 0.0025", "L0.d0 0.000001", "L0.d0 0.000001", "L0.firstMove 0.000001", "L0.alpha 0.02", "L0.sInit 1e-8", "L0.alpha 0.001", "L0.alpha 0.001",
    ]);
    const expansion = expandStudy(preset);
    expect(expansion).toMatchObject({ ok: true });
    if (!name.endsWith("-quick")) expect(quickEdition(name)).toBe(`${name}-quick`);
  });
});

describe("hypertower study", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hypertower-methods-"));
    writeFileSync(join(folder, "study.json"), JSON.stringify(small));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const hypertower = (...args: string[]) => runCommand(join(folder, "store"), args);

  it.runIf(everything)("trains methods, and has their numbers as JSON and in a report", async () => {
    const { code, stdout, stderr } = await hypertower("study", join(folder, "study.json"), "--workers", "2", "--json");
    expect(code, stderr).toBe(0);
    const ended = jsonLines(stdout).at(-1)!;
    expect(ended).toMatchObject({
      event: "ended",
      finished: 16,
      methods: [{ name: "Adam", start: { path: "L0.alpha", published: 0.001 }, knobs: [] }, { name: "tower", knobs: [{ path: "L1.alpha", published: 1e-5 }] }],
      verdict: { finding: expect.stringMatching(/methods|unlearned/) as string },
    });
    expect(new Set(jsonLines(stdout).filter(({ event }) => event === "run").map(({ key }) => key))).toContain("tower|L1.alpha x10|s1");
  });

  it("takes a preset's name and its quick edition, and names what has none", async () => {
    const failing = (given: string | undefined, options: Partial<StudyOptions>) => study(programFiles, given, { set: [], tag: [], ...options });
    await expect(failing("demo", { quick: true })).rejects.toThrow("--quick needs a preset with a quick edition, and demo has none; allowed: figure4a");
    await expect(failing(join(folder, "study.json"), { quick: true })).rejects.toThrow("--quick needs a preset with a quick edition; allowed");
    const off = { quick: true, set: ["methods.factors.points=2"] };
    await expect(failing("methods-mlp", off)).rejects.toMatchObject({ fields: [{ path: "methods.factors", message: expect.stringContaining("lack 1, the published default") as string }] });
    await expect(failing(undefined, { ...off, preset: "methods-char-rnn" })).rejects.toMatchObject({ fields: [{ path: "methods.factors" }] });
  });
});
