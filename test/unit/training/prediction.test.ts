/** What trained models are asked: their predictions, and the text that they write. */
import { expect, it } from "vitest";
import { describeModel } from "../../../src/shared/models/architecture.ts";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import type { Evaluation } from "../../../src/shared/run.ts";
import { loadDataset } from "../../../src/core/datasets/index.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { Random } from "../../../src/core/models/random.ts";
import { CheckpointError } from "../../../src/core/checkpoint/container.ts";
import { alphabetOf } from "../../../src/shared/alphabet.ts";
import { drawn, generate } from "../../../src/core/prediction/generate.ts";
import { predict } from "../../../src/main/trainer/jobs.ts";
import type { NamedArray } from "../../../src/core/weights/file.ts";
import { trainHere } from "../../support/trainHere.ts";

/** Trains for real; with the weights of its last evaluation. */
async function trained(config: ExperimentInput) {
  const kept: { evaluation: Evaluation; arrays: readonly NamedArray[] }[] = [];
  const keeper = { keep: (evaluation: Evaluation, arrays: readonly NamedArray[]) => void kept.push({ evaluation, arrays }) };
  const run = await trainHere(config, undefined, undefined, keeper);
  return { ...run, of: experiment.parse(config), weights: kept.at(-1)!.arrays };
}

const small: ExperimentInput = { dataset: { trainExamples: 2000, testExamples: 1100 }, batchSize: 100, budget: { epochs: 1 } };

it("predictions are those that the run was evaluated by, batch normalization included", async () => {
  for (const model of [{ hidden: [16] }, { kind: "cnn" as const, channels: [4], batchNorm: true }]) {
    const { of, weights, evaluations } = await trained({ ...small, model });
    const found = await predict(of, weights, { kind: "outputs" });
    if (found.kind !== "outputs" || !found.labelled) throw new Error("no outputs");
    const { labels, scores, width } = found.labelled;
    const { testLoss, testError } = evaluations.at(-1)!;
    expect(found.examples).toBe(1100);
    expect(found.sums["loss"]! / 1100).toBeCloseTo(testLoss!, 5);
    // What is said of each example adds up to the sums.
    let [loss, errors] = [0, 0];
    labels.forEach((label, i) => {
      const row = scores.subarray(i * width, (i + 1) * width);
      expect(row.reduce((sum, logp) => sum + Math.exp(logp), 0)).toBeCloseTo(1, 4);
      loss -= row[label]!;
      errors += row.indexOf(Math.max(...row)) === label ? 0 : 1;
    });
    expect(loss / 1100).toBeCloseTo(testLoss!, 4);
    expect((100 * errors) / 1100).toBeCloseTo(testError!, 6);
    expect(found.sums["errors"]).toBe(errors);
  }
});

it("examples are those of the test set, by their place", async () => {
  const { of, weights } = await trained(small);
  const found = await predict(of, weights, { kind: "examples", indices: [1099, 0, 1000] });
  const { test } = await loadDataset(of.dataset);
  expect(found).toEqual({ kind: "examples", range: 255, values: [1099, 0, 1000].map((i) => Float32Array.from(test.features.subarray(i * 784, (i + 1) * 784))) });
  await expect(predict(of, weights, { kind: "examples", indices: [1100] })).rejects.toThrow(/there is no example 1100; there are 1100/);
  await expect(predict(of, weights, { kind: "text", prime: "a", length: 1, temperature: 1, seed: 0 })).rejects.toThrow(/not trained on a text/);
});

it("weights of another model are refused by name", async () => {
  const { of, weights } = await trained(small);
  const other = experiment.parse({ ...of, model: { hidden: [17] } });
  await expect(predict(other, weights, { kind: "outputs" })).rejects.toThrow(CheckpointError);
  await expect(predict(other, weights, { kind: "outputs" })).rejects.toThrow(/layer1\.weight is 128 × 784 in the weights and 17 × 784 in the model/);
});

it("a symbol is drawn by its probability, sharpened by the temperature", () => {
  const scores = Float64Array.from([0.5, 0.3, 0.2].map(Math.log));
  const counts = (temperature: number) => {
    const random = new Random(3, "generation", 1);
    const found = [0, 0, 0];
    for (let i = 0; i < 20_000; i++) found[drawn(scores, temperature, random)]!++;
    return found.map((count) => count / 20_000);
  };
  counts(1).forEach((share, i) => expect(share).toBeCloseTo([0.5, 0.3, 0.2][i]!, 1.6));
  // p^2, scaled to a sum of 1.
  counts(0.5).forEach((share, i) => expect(share).toBeCloseTo([25 / 38, 9 / 38, 4 / 38][i]!, 1.6));
  expect(counts(0)).toEqual([1, 0, 0]);
});

it("text goes on as the model says, its hidden state carried, and the same for one seed", async () => {
  const vocabulary = ["a", "b", "c"];
  for (const cell of ["lstm", "gru"] as const) {
    const of = experiment.parse({ dataset: { kind: "tiny-shakespeare" }, model: { kind: "charRnn", cell, layers: 2, hidden: 6, embedding: 4 }, engine: { kind: "reference" } });
    const described = describeModel(of.model, { input: { kind: "tokens", shape: [1], vocabulary: 3 }, classes: 3 });
    const random = new Random(1, "initialization", 1);
    const arrays = buildModel(described).parameters.map(({ name, shape, initialize }) => ({ name, shape, values: initialize(random).map((value) => 5 * value) }));
    const say = (prime: string, seed = 0, temperature = 1) => generate(of, alphabetOf({ vocabulary }), arrays, { prime, length: 200, temperature, seed });
    const first = await say("abc");
    expect(Array.from(first)).toHaveLength(200);
    expect(await say("abc")).toBe(first);
    expect(await say("abc", 1)).not.toBe(first);
    // Without chance what follows depends on the beginning alone: reading on from its own words changes nothing.
    const likely = await say("abc", 0, 0);
    expect(await say(`abc${likely.slice(0, 20)}`, 0, 0)).toContain(likely.slice(20, 200));
    await expect(say("abx\n")).rejects.toThrow(/does not contain "x", "\\n"; allowed: "/);
    await expect(say("")).rejects.toThrow(/at least one symbol/);
  }
});
