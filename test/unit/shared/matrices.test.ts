/** Muon is made for matrices: where it cannot work is named before anything starts. */
import { describe, expect, it } from "vitest";
import { meanSquaredError } from "../../../src/library/losses.ts";
import { constants, defineModel } from "../../../src/library/model.ts";
import { optimize } from "../../../src/library/optimize.ts";
import { muon, stack } from "../../../src/library/optimizers.ts";
import { mul } from "../../../src/library/ops.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { fitsLevel, optimizersFor } from "../../../src/shared/matrices.ts";
import { tower } from "../../../src/shared/tower.ts";

const errors = (changes: object) => {
  const checked = validateExperiment(changes);
  return checked.ok ? [] : checked.errors;
};
const convolutions = {
  kind: "sequential",
  layers: [{ kind: "conv2d", channels: 10, kernel: 28, padding: 0 }, { kind: "flatten" }],
};

describe("Muon", () => {
  it("is accepted for a model with matrices, also as a group of them", () => {
    expect(errors({ tower: [{ optimizer: "muon" }, { optimizer: "sgd" }] })).toEqual([]);
    expect(errors({ tower: [{ optimizer: "adam", groups: [{ name: "hidden", match: "layer1.weight", optimizer: "muon" }] }] })).toEqual([]);
  });

  it("is refused for a part without a matrix, by its path, with the shapes there are", () => {
    const [error, ...more] = errors({ tower: [{ optimizer: "adam", groups: [{ name: "bias", match: "*.bias", optimizer: "muon" }] }] });
    expect(more).toEqual([]);
    expect(error!.path).toBe("tower.0.groups.0.optimizer");
    expect(error!.message).toMatch(/^Muon is for matrices, but group bias has none \(layer1\.bias \[128\], layer2\.bias \[10\]\);/);
  });

  it("is refused for a model of convolutions alone", () => {
    const found = errors({ model: convolutions, tower: [{ optimizer: "muon" }] });
    expect(found.map(({ path }) => path)).toEqual(["tower.0.optimizer"]);
    expect(found[0]!.message).toContain("the model has none (conv2d1.weight [10, 1, 28, 28], conv2d1.bias [10])");
  });

  it("is not refused where it holds nothing or is frozen", () => {
    expect(errors({ tower: [{ optimizer: "muon", groups: [{ name: "all", match: "*", optimizer: "adam" }] }] })).toEqual([]);
    expect(errors({ tower: [{ optimizer: "adam", groups: [{ name: "bias", match: "*.bias", optimizer: "muon", frozen: true }] }] })).toEqual([]);
  });

  it("is refused above level 0, where there are only numbers, also in a group", () => {
    const refused = (levels: unknown) => tower.safeParse(levels).error?.issues.map(({ path, message }) => [path.join("."), message]);
    const message = "Muon is for matrices of weights; a hyperparameter is a number: choose another optimizer, such as nAdam";
    expect(refused([{ optimizer: "sgd" }, { optimizer: "muon" }])).toEqual([["1.optimizer", message]]);
    expect(refused([{ optimizer: "adam" }, { optimizer: "sgd", groups: [{ name: "betas", match: "beta*", optimizer: "muon" }] }])).toEqual([["1.groups.0.optimizer", message]]);
    expect(() => stack([{ optimizer: "sgd" }, { optimizer: "muon" }])).toThrow(message);
    expect(fitsLevel("muon", 0)).toBe(true);
    expect(optimizersFor(1)).not.toContain("muon");
    expect(optimizersFor(0)).toContain("muon");
  });

  it("is refused by the library for a model without a matrix", async () => {
    const model = defineModel({ inputs: { x: [3] }, parameters: { w: constants([3], 1) }, forward: ({ x }, { w }) => mul(x, w) });
    await expect(optimize(model, { optimizer: muon(0.1), loss: meanSquaredError })).rejects.toThrow("0.optimizer: Muon is for matrices, but the model has none (w [3])");
  });
});
