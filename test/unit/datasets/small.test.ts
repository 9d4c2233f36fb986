import { expect, it } from "vitest";
import { factsOf } from "../../../src/shared/datasets.ts";
import { featureRange } from "../../../src/core/datasets/dataset.ts";
import { loadDigits, loadIris } from "../../../src/core/datasets/small.ts";

it("UCI digits and iris have as many examples as is said of them, and pixels up to 16", async () => {
  const [digits, iris] = [await loadDigits(), loadIris()];
  for (const [id, { train, test }] of [["digits", digits], ["iris", iris]] as const) expect(factsOf(id)).toMatchObject({ trainExamples: train.count, testExamples: test.count });
  expect(featureRange(digits)).toBe(16);
  expect(Math.max(...digits.train.features)).toBe(16);
  expect(featureRange(iris)).toBeNull();
});
