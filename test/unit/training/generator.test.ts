import { expect, it } from "vitest";
import { asNew, experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { asNewStudy, study } from "../../../src/shared/study/study.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { trainHere } from "../../support/trainHere.ts";

const stored: ExperimentInput = {
  dataset: { kind: "iris", validation: 0.2, splitSeed: 3 },
  model: { kind: "mlp", hidden: [4], dropout: 0.3 },
  batchSize: 24,
  budget: { epochs: 2 },
  seed: 7,
  engine: { kind: "reference" },
};

it("an experiment stored without a generator trains as it did", async () => {
  expect(experiment.parse(stored).generator).toBe(1);
  const { steps, evaluations } = await trainHere(stored);
  // Logged before there was a choice.
  expect(steps.map(([, loss]) => loss)).toEqual([1.1655349436472318, 1.1045893842039463, 1.1628726767380015, 1.1853456296214961, 1.1156015873197618, 1.1729344350303017, 1.1196607723669447, 1.1574068367664188]);
  expect(evaluations).toMatchObject([{ validationLoss: 1.1974281584081363 }, { validationLoss: 1.1824287702876919, testLoss: 1.176514835424765 }]);
});

it("a new one trains from other numbers", async () => {
  const { steps } = await trainHere(asNew(stored) as ExperimentInput);
  expect(steps[0]![1]).not.toBe(1.1655349436472318);
});

it("asNew() gives the latest generator to what names none, and leaves the rest alone", () => {
  expect(asNew({ seed: 3 })).toEqual({ seed: 3, generator: 2 });
  expect(asNew({ generator: 1 })).toEqual({ generator: 1 });
  expect(asNew("text")).toBe("text");
  expect(study.parse(asNewStudy({})).base.generator).toBe(2);
  expect(study.parse(asNewStudy({ base: { generator: 1 } })).base.generator).toBe(1);
  expect(study.parse({}).base.generator).toBe(1);
});

it("another generator is refused", () => {
  const result = experiment.safeParse({ generator: 3 });
  expect(result.error?.issues).toMatchObject([{ path: ["generator"], message: "generator must be one of: 1, 2" }]);
});

it("the data a process keeps for its next run is not that of another generator", async () => {
  const featuresOf = async (generator: 1 | 2) => {
    const { feed, executable } = await prepareRun(experiment.parse({ ...stored, generator }));
    await executable.dispose();
    return [...(feed.evaluation("test")[Symbol.iterator]().next().value!.inputs["features"] as Float32Array)];
  };
  const first = await featuresOf(1);
  expect(await featuresOf(2)).not.toEqual(first);
  expect(await featuresOf(1)).toEqual(first);
});
