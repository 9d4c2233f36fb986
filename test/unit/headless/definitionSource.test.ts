import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadExperiment, loadStudy } from "../../../src/main/headless/definitionSource.ts";
import { presetNames } from "../../../src/shared/presets.ts";
import { UserError } from "../../../src/main/services/services.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-source-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, name = "experiment.json"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function failure(source: Parameters<typeof loadExperiment>[0]): Promise<UserError> {
  const error: unknown = await loadExperiment(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe("loadExperiment", () => {
  it("is the seed example without a file or preset", async () => {
    const experiment = await loadExperiment({ set: [] });
    expect(experiment).toMatchObject({ batchSize: 256, budget: { epochs: 5 }, tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] });
  });

  it("refuses a file that is nested too deeply to be located in", async () => {
    const { message } = await failure({ file: file("[".repeat(200_000)), set: [] });
    expect(message).toContain("is not valid JSON");
  });

  it("refuses a file that is larger than any definition", async () => {
    const { message } = await failure({ file: file(" ".repeat(9 * 2 ** 20)), set: [] });
    expect(message).toMatch(/^cannot read the experiment file .*: it has 9\.44 MB; at most 8\.39 MB are allowed$/);
  });

  it("gives the latest generator to a file that names none, and keeps that of a stored experiment", async () => {
    expect(await loadExperiment({ set: [] })).toMatchObject({ generator: 2 });
    expect(await loadExperiment({ file: file('{"seed": 3}'), set: ["seed=4"] })).toMatchObject({ seed: 4, generator: 2 });
    expect(await loadExperiment({ file: file('{"generator": 1}'), set: [] })).toMatchObject({ generator: 1 });
    expect(await loadExperiment({ given: { input: { seed: 3 }, origin: "the run" }, set: [] })).toMatchObject({ generator: 1 });
    expect(await loadStudy({ file: file('{"seeds": [3]}'), set: [] })).toMatchObject({ base: { generator: 2 } });
    expect(await loadStudy({ given: { input: { seeds: [3] }, origin: "the study" }, set: [] })).toMatchObject({ base: { generator: 1 } });
  });

  it("reads a preset and sets values on top, defaults included", async () => {
    const experiment = await loadExperiment({ preset: "quick-look", set: ["tower.1.alpha=1e-3", "seed=7"] });
    expect(experiment).toMatchObject({ name: "quick-look", seed: 7, tower: [{}, { alpha: 1e-3 }], dataset: { trainExamples: 12_800 } });
  });

  it("reads a file, with or without a byte order mark", async () => {
    expect(await loadExperiment({ file: file('{"seed": 4}'), set: [] })).toMatchObject({ seed: 4 });
    expect(await loadExperiment({ file: file('\uFEFF{"seed": 5}'), set: [] })).toMatchObject({ seed: 5 });
  });

  it("names the known presets", async () => {
    const { message } = await failure({ preset: "seed", set: [] });
    expect(message).toBe(`there is no preset named seed; known presets: ${presetNames.join(", ")}`);
  });

  it("refuses a file together with a preset", async () => {
    expect((await failure({ file: "a.json", preset: "quick-look", set: [] })).message).toContain("give one of them");
  });

  it("names a missing file and a folder", async () => {
    const missing = join(folder, "missing.json");
    expect((await failure({ file: missing, set: [] })).message).toBe(`cannot read the experiment file ${missing}: the file does not exist`);
    expect((await failure({ file: folder, set: [] })).message).toContain("it is a folder");
  });

  it.each([
    ["hello", ":1:1"],
    ['{\n  "seed": 1,\n  "batchSize" 3\n}', ":3:15"],
    ['{"seed": 1', ":1:11"],
    ['{"seed": 1,}', ":1:12"],
    ["", ":1:1"],
  ])("says where %j is not JSON", async (text, where) => {
    const path = file(text, "broken.json");
    expect((await failure({ file: path, set: [] })).message).toContain(`${path}${where} is not valid JSON`);
  });

  it("lists every wrong field with what is allowed", async () => {
    const path = file('{"tower": [{"optimizer": "adam", "beta1": 1}, {"optimizer": "sgd", "alpha": -1}], "budgets": {}}');
    const error = await failure({ file: path, set: [] });
    expect(error.message).toBe(`${path} is not a valid experiment:`);
    expect(error.fields?.map((field) => field.path).sort()).toEqual(["budgets", "tower.0.beta1", "tower.1.alpha"]);
    expect(error.fields?.find((field) => field.path === "tower.0.beta1")?.message).toContain("strictly between 0 and 1");
  });

  it("validates what --set made of it", async () => {
    const error = await failure({ preset: "seed-example", set: ["tower=[]"] });
    expect(error.message).toContain("--set tower=[]");
    expect(error.fields?.[0]?.path).toBe("tower");
  });
});
