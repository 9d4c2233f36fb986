/** Examples and their batches. */
import { describe, expect, it } from "vitest";
import { batches, loadMnist } from "../../../src/library/index.ts";

const examples = { count: 5, arrays: { x: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5), targets: [0, 1, 2, 3, 4] } };

const targetsOf = (list: Iterable<{ targets: unknown }>) => [...list].map(({ targets }) => [...(targets as number[])]);

describe("batches", () => {
  it("come as the examples stand, the last one smaller", () => {
    expect([...batches(examples, 2)]).toEqual([
      { x: Float32Array.of(0, 0.5, 1, 1.5), targets: [0, 1] },
      { x: Float32Array.of(2, 2.5, 3, 3.5), targets: [2, 3] },
      { x: Float32Array.of(4, 4.5), targets: [4] },
    ]);
  });

  it("are shuffled by a seed: every example once, its arrays together", () => {
    const shuffled = [...batches(examples, 2, { seed: 1 })];
    expect(shuffled.map(({ targets }) => (targets as number[]).length)).toEqual([2, 2, 1]);
    const order = targetsOf(shuffled).flat();
    expect(order).not.toEqual([0, 1, 2, 3, 4]);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(shuffled.flatMap(({ x }) => [...(x as Float32Array)])).toEqual(order.flatMap((n) => [n, n + 0.5]));
    expect(targetsOf(batches(examples, 2, { seed: 1 })).flat()).toEqual(order);
  });

  it("go on in a new order every epoch", () => {
    const epochs = targetsOf(batches(examples, 5, { seed: 1, epochs: 3 }));
    expect(epochs).toHaveLength(3);
    expect(epochs[1]).not.toEqual(epochs[0]);
    expect(targetsOf(batches(examples, 5, { epochs: 2 }))).toEqual([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]);
  });

  it("stay as they are when the next one comes", () => {
    const [first] = batches(examples, 2, { seed: 3 });
    const kept = [...batches(examples, 2, { seed: 3 })];
    expect(kept[0]).toEqual(first);
  });

  it.each([
    [() => batches(examples, 0), "batches: batchSize is 0; allowed: whole numbers from 1"],
    [() => batches(examples, 2, { epochs: 0.5 }), "batches: epochs is 0.5"],
    [() => batches(examples, 2, { seed: -1 }), "batches: seed is -1; allowed: whole numbers from 0 to 4294967295"],
    [() => batches({ count: 3, arrays: { x: [1, 2, 3, 4] } }, 1), "batches: x has 4 values, which is not a multiple of 3 examples"],
  ])("refuse at once, by name: %s", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("loadMnist", () => {
  it("answers bytes with their scale, and as many examples as asked for", async () => {
    const { train, test } = await loadMnist({ trainExamples: 100, testExamples: 10 });
    expect([train.count, test.count]).toEqual([100, 10]);
    const [batch] = batches(train, 3);
    expect(batch).toMatchObject({ features: { scale: 1 / 255 }, targets: Uint8Array.of(5, 0, 4) });
    expect((batch!.features as { values: Uint8Array }).values).toHaveLength(3 * 784);
  });

  it("refuses a number of examples there are not", async () => {
    await expect(loadMnist({ trainExamples: 60_001 })).rejects.toThrow("loadMnist: dataset.trainExamples is 60001; MNIST has 60000");
  });
});
