/** Links and files that carry a study or an experiment from one workbench to another. */
import { deflateSync } from "fflate";
import { describe, expect, it } from "vitest";
import { experiment } from "../../../src/shared/experiment.ts";
import { decodePayload, encodeLink, openPath, readShared, sharedErrors, type Shared } from "../../../src/shared/sharing.ts";
import { study } from "../../../src/shared/study/study.ts";

const anExperiment: Shared = { kind: "experiment", value: experiment.parse({ name: "näme ∂", seed: 7 }) };
const aStudy: Shared = { kind: "study", value: study.parse({ name: "A study", axes: [{ values: { kind: "grid", from: 1e-8, to: 1, points: 9 } }], heights: { values: [0, 1] } }) };

describe("a link", () => {
  it.each([anExperiment, aStudy])("holds the whole definition, in letters that an address may have", (shared) => {
    const link = encodeLink(shared);
    expect(link).toMatch(/^hypertower:(study|experiment):[A-Za-z0-9_-]+$/);
    expect(readShared(`  ${link}\n`)).toEqual({ ok: true, ...shared });
    expect(readShared(`http://127.0.0.1:4817/#${openPath(shared)}`)).toEqual({ ok: true, ...shared });
  });

  it("that is cut off, changed or far too long says so", () => {
    const link = encodeLink(aStudy);
    expect(readShared(link.slice(0, -20))).toMatchObject({ ok: false, problem: expect.stringContaining("damaged or incomplete") as string });
    expect(readShared(`hypertower:study:AAAA`)).toMatchObject({ ok: false });
    expect(decodePayload("study", "A".repeat(200_001))).toMatchObject({ ok: false, problem: expect.stringContaining("at most 200000") as string });
  });

  it("that unfolds to megabytes is not unfolded", () => {
    const bomb = Buffer.from(deflateSync(new Uint8Array(64 * 1024 * 1024), { level: 9 })).toString("base64url");
    expect(bomb.length).toBeLessThan(200_000);
    expect(decodePayload("study", bomb)).toMatchObject({ ok: false, problem: expect.stringContaining("more than 4 MiB") as string });
  });
});

describe("a file", () => {
  it("is told apart by its fields", () => {
    expect(readShared(JSON.stringify(aStudy.value))).toEqual({ ok: true, ...aStudy });
    expect(readShared(`\uFEFF${JSON.stringify(anExperiment.value)}`)).toEqual({ ok: true, ...anExperiment });
    expect(readShared('{"tower":[{"optimizer":"sgd"}]}')).toMatchObject({ ok: true, kind: "experiment" });
    expect(readShared('{"base":{"tower":[{"optimizer":"sgd"}]}}')).toMatchObject({ ok: true, kind: "study" });
  });

  it.each([
    ["", "nothing in it"],
    ["hello", "no link of Hypertower"],
    ["{ not json", "no valid JSON"],
    ['{"name":"x"}', "neither a study"],
    ["<!doctype html><p>hello</p>", "no report of Hypertower"],
    ['<!doctype html><script type="application/json" id="hypertower-study">{</script>', "damaged"],
    ['{"format":"hypertower-report"}', "holds no study and no experiment"],
  ])("that is none says what it is not: %j", (text, words) => {
    expect(readShared(text)).toMatchObject({ ok: false, problem: expect.stringContaining(words) as string });
  });

  it("is validated as what it is", () => {
    expect(sharedErrors(aStudy)).toEqual([]);
    expect(sharedErrors({ kind: "study", value: { base: { tower: [] } } })).toMatchObject([{ path: "base.tower" }]);
    expect(sharedErrors({ kind: "experiment", value: { seed: -1 } })).toMatchObject([{ path: "seed" }]);
  });
});
