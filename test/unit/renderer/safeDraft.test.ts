import { describe, expect, it } from "vitest";
import { experiment, validateExperiment, type ExperimentInput } from "@shared/experiment.ts";
import { madeSafe } from "@shared/safe.ts";
import { draftOf, experimentOf, parseDraft, serializeDraft } from "@/lib/draft.ts";
import { isSafe, withoutSafe, withSafe } from "@/lib/safeDraft.ts";

const towers: Record<string, ExperimentInput["tower"]> = {
  "Adam / SGD": [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }],
  "choices of its own, and groups": [
    { optimizer: "sgd", groups: [{ name: "bias", match: "*.bias", alpha: 0.1 }] },
    { optimizer: "sgd", maxChange: 0.5, groups: [{ name: "b", match: "*[bias]", optimizer: "adam" }] },
    { optimizer: "rmsProp" },
  ],
};

describe.each(Object.entries(towers))("the switch Safe on %s", (_, tower) => {
  const plain = experiment.parse({ tower });
  const safe = madeSafe(plain);

  it("makes of a draft what the preset makes of an experiment, and takes it back", () => {
    const draft = draftOf(plain);
    expect(isSafe(draft)).toBe(false);
    const switched = withSafe(draft);
    expect(isSafe(switched)).toBe(true);
    expect(validateExperiment(experimentOf(switched))).toEqual({ ok: true, experiment: safe });
    expect(validateExperiment(experimentOf(withoutSafe(switched)))).toEqual({ ok: true, experiment: plain });
  });
});

it("a draft remembered by a version without bounds and guard is read", () => {
  const draft = draftOf(experiment.parse({}));
  const { guard: _, ...older } = JSON.parse(serializeDraft(draft)) as Record<string, unknown>;
  const levels = (older["levels"] as Record<string, unknown>[]).map(({ bounds: _bounds, ...level }) => level);
  expect(experimentOf(parseDraft(JSON.stringify({ ...older, levels }))!)).toEqual(experimentOf(draft));
});
