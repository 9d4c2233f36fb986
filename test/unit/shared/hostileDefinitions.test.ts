/** Definitions from strangers: whatever their fields hold, no prototype changes and no text of theirs becomes code. */
import { describe, expect, it } from "vitest";
import { asNew, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { exportFormatNames } from "../../../src/shared/exports.ts";
import { newExperiment, presets } from "../../../src/shared/presets.ts";
import { readShared, sharedErrors } from "../../../src/shared/sharing.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { studyPresets } from "../../../src/shared/study/presets.ts";
import { asNewStudy, validateStudy } from "../../../src/shared/study/study.ts";
import { hyperparameterColumns } from "../../../src/shared/tower.ts";
import { exportRun } from "../../../src/main/reports/index.ts";
import { assign, parseAssignment } from "../../../src/main/headless/setValue.ts";
import { aRun } from "../../support/storeFixtures.ts";

const names = ["__proto__", "constructor", "prototype"];
const payload = '{"polluted":true,"prototype":{"polluted":true},"__proto__":{"polluted":true}}';

/** The JSON with a hostile field in one of its objects, for each object and each name. */
function* poisoned(value: unknown): Generator<string> {
  const json = JSON.stringify(value);
  for (const name of names) {
    for (let at = json.indexOf("{"); at >= 0; at = json.indexOf("{", at + 1)) {
      const comma = json[at + 1] === "}" ? "" : ",";
      yield `${json.slice(0, at + 1)}${JSON.stringify(name)}:${payload}${comma}${json.slice(at + 1)}`;
    }
  }
}

function requireClean(): void {
  for (const made of [{}, [], () => undefined, new Map(), "" as unknown]) expect((made as { polluted?: unknown }).polluted).toBeUndefined();
}

describe("a definition with fields named like a prototype", () => {
  it("as an experiment changes nothing but itself, and is refused or read without them", () => {
    let tried = 0;
    for (const { experiment } of presets) {
      const valid = validateExperiment(experiment);
      if (!valid.ok) throw new Error("the preset is not valid");
      for (const json of poisoned(valid.experiment)) {
        tried++;
        const result = validateExperiment(asNew(JSON.parse(json)));
        if (result.ok) expect(JSON.stringify(result.experiment)).not.toContain("polluted");
        else expect(result.errors.length).toBeGreaterThan(0);
        const shared = readShared(json);
        if (shared.ok) sharedErrors(shared);
      }
      requireClean();
    }
    expect(tried).toBeGreaterThan(50);
  });

  it("as a study changes nothing but itself", () => {
    for (const { study } of studyPresets.slice(0, 3)) {
      for (const json of poisoned(study)) {
        const result = validateStudy(asNewStudy(JSON.parse(json)));
        if (result.ok) expect(JSON.stringify(result.study)).not.toContain("polluted");
      }
      requireClean();
    }
    const small = validateStudy({ name: "s", base: newExperiment, axes: [{ values: { kind: "list", values: [0.1] } }], heights: { values: [0, 1] }, seeds: [0] });
    expect(small.ok && expandStudy(small.study).ok).toBe(true);
    requireClean();
  });

  it("by --set changes nothing but itself", () => {
    for (const path of ["__proto__.polluted", "constructor.prototype.polluted", "tower.__proto__.polluted", "tower.0.constructor.prototype.polluted", "model.hidden.constructor.prototype.polluted", "toString.polluted"]) {
      try {
        assign(newExperiment, parseAssignment(`${path}=true`));
      } catch (error) {
        expect((error as Error).message).toContain("--set");
      }
      requireClean();
    }
  });
});

const mark = "HOSTILE_TEXT";
const attacks = [`${mark}\n${mark}()`, `"; ${mark}() #`, `""" + ${mark}() + """`, `'''\r${mark}()\r'''`, `\\"; ${mark}()\u2028${mark}()`, `\${${mark}}`, `*/ ${mark}() /*`, `</script>${mark}`];

/** Source text without comments and string literals; with triple quotes first. */
const bare = (python: string) => python.replace(/"""[\s\S]*?"""/g, '""').replace(/(?:"(?:[^"\\\n]|\\.)*")|(?:'(?:[^'\\\n]|\\.)*')|(?:#[^\n]*)/g, "''");

describe("text of a definition in exported code", () => {
  it.each(exportFormatNames.filter((format) => !["csv", "json"].includes(format)))("stands in comments and strings alone: %s", (format) => {
    for (const attack of attacks) {
      // Names of groups are letters and digits; a run's name is any text.
      const grouped: ExperimentInput = { tower: [{ optimizer: "sgd", groups: [{ name: attack, match: "*.bias", alpha: 0.5 }] }] };
      expect(validateExperiment(grouped).ok, attack).toBe(false);
      const base = aRun({ name: attack, tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] }, { status: "finished", steps: 2 });
      const columns = hyperparameterColumns(base.experiment.tower);
      const run = { ...base, name: attack, metrics: ["loss", ...columns.map(({ metric }) => metric)], environment: null, evaluations: [], events: [] };
      const steps = [0, 1].map((step) => ({ step, values: [1, ...columns.map(({ initial }) => initial)] }));
      const file = exportRun(run, steps, format);
      const code = [...file.pieces].join("");
      expect(file.filename).toMatch(/^[A-Za-z0-9.-]+$/);
      expect(code).toContain(mark);
      expect(bare(code), attack).not.toContain(mark);
      for (const line of code.split(/\n/)) expect(line).not.toMatch(/[\r\u2028\u2029]/);
    }
  });
});
