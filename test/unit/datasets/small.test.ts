import { describe, expect, it } from "vitest";
import { featureRange, type Dataset } from "../../../src/core/datasets/dataset.ts";
import { loadDataset } from "../../../src/core/datasets/index.ts";
import { heldOut } from "../../../src/core/datasets/split.ts";
import { readExamples } from "../../../src/core/datasets/readers.ts";
import { digits as digitsEntry } from "../../../src/shared/catalog/digits.ts";
import { iris as irisEntry } from "../../../src/shared/catalog/iris.ts";

it("UCI digits and iris have as many examples as is said of them, and pixels up to 16", async () => {
  const division = { seed: 0, version: 2 } as const;
  const [digits, iris] = [await readExamples(digitsEntry, division), await readExamples(irisEntry, division)];
  for (const [entry, { train, test }] of [[digitsEntry, digits], [irisEntry, iris]] as const) expect(entry).toMatchObject({ trainExamples: train.count, testExamples: test.count });
  expect(featureRange(digits)).toBe(16);
  expect(Math.max(...digits.train.features)).toBe(16);
  expect(featureRange(iris)).toBeNull();
});

describe("features are standardized", () => {
  const places = (generator: 1 | 2) => heldOut(100, 20, 3, generator).training;
  const load = (generator: 1 | 2, validation: number) => loadDataset({ kind: "iris", trainExamples: 100, testExamples: 30, splitSeed: 3, validation, generator });
  const means = ({ train }: Dataset, of: Uint32Array) => [0, 1, 2, 3].map((j) => of.reduce((sum, i) => sum + train.features[i * 4 + j]!, 0) / of.length);

  it("by the examples that are trained on alone", async () => {
    for (const mean of means(await load(2, 0.2), places(2))) expect(mean).toBeCloseTo(0, 5);
  });

  it("by held-out examples as well where a stored run was trained so", async () => {
    const dataset = await load(1, 0.2);
    expect(dataset).toEqual(await load(1, 0));
    expect(Math.max(...means(dataset, places(1)).map(Math.abs))).toBeGreaterThan(0.01);
  });
});
