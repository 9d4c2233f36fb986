import { describe, expect, it } from "vitest";
import { experiment, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { madeSafe, safeMaxChange } from "../../../src/shared/safe.ts";
import { presets } from "../../../src/shared/presets.ts";

const towers: Record<string, ExperimentInput["tower"]> = {
  "Adam / SGD": [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }],
  plain: [{ optimizer: "sgd" }],
  "with choices of its own": [{ optimizer: "sgd", bounds: { alpha: [1e-3, 1] } }, { optimizer: "sgd", maxChange: 0.5 }, { optimizer: "adam" }],
  "that start at 0 or are not learned": [{ optimizer: "sgd", alpha: 0 }, { optimizer: "adam", learned: [] }, { optimizer: "sgd" }],
  "in log space, with groups": [
    { optimizer: "adam", alphaAs: "log", groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1 }] },
    { optimizer: "sgd", alpha: 1e-5, groups: [{ name: "b", match: "*[bias]", optimizer: "adam" }] },
    { optimizer: "rmsProp" },
  ],
};

describe.each(Object.entries(towers))("the safe preset on %s", (_, tower) => {
  const plain = experiment.parse({ tower });
  const safe = madeSafe(plain);

  it("is a valid experiment, and the same once more", () => {
    expect(validateExperiment(safe)).toEqual({ ok: true, experiment: safe });
    expect(madeSafe(safe)).toEqual(safe);
    expect(safe.guard.on).toBe(true);
    for (const of of safe.tower.slice(1)) expect(of.maxChange).not.toBeNull();
  });
});

it("keeps what is chosen already, and leaves level 0 as it is", () => {
  const [bottom, middle, top] = madeSafe(experiment.parse({ tower: towers["with choices of its own"] })).tower;
  expect(bottom).toMatchObject({ maxChange: null, bounds: { alpha: [1e-3, 1] } });
  expect(middle!.maxChange).toBe(0.5);
  expect(top!.maxChange).toBe(safeMaxChange);
});

it.each(presets.map((preset) => [preset.name, preset.experiment] as const))("fits the preset %s", (_, input) => {
  expect(validateExperiment(madeSafe(experiment.parse(input))).ok).toBe(true);
});
