/** Images shifted and mirrored at random: the same for the same seed, wherever an epoch begins. */
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/core/models/random.ts";
import { augmentInto } from "../../../src/core/feeds/augment.ts";
import { batchesInOrder } from "../../../src/core/feeds/batches.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";
import type { Captured } from "../../../src/core/checkpoint/saver.ts";
import { experiment, validateExperiment } from "../../../src/shared/experiment.ts";
import { findPreset } from "../../../src/shared/presets.ts";

const shape = [2, 4, 5];
const image = Uint8Array.from({ length: 40 }, (_, i) => i + 1);

/** What an image may become: shifted with black behind it, mirrored afterwards. */
function expected(down: number, right: number, mirrored: boolean): number[] {
  const out = new Array<number>(40).fill(0);
  for (let c = 0; c < 2; c++) {
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 5; x++) {
        const [fromY, fromX] = [y + down, x + right];
        const value = fromY < 0 || fromY >= 4 || fromX < 0 || fromX >= 5 ? 0 : image[(c * 4 + fromY) * 5 + fromX]!;
        out[(c * 4 + y) * 5 + (mirrored ? 4 - x : x)] = value;
      }
    }
  }
  return out;
}

describe("an image", () => {
  it("is one of all shifts and mirror images, each about as often", () => {
    const all = new Map<string, number>();
    for (let down = -2; down <= 2; down++) for (let right = -2; right <= 2; right++) for (const mirrored of [false, true]) all.set(String(expected(down, right, mirrored)), 0);
    expect(all.size).toBe(50);
    const random = new Random(3, "augmentation", 1);
    const to = new Uint8Array(50);
    for (let i = 0; i < 5000; i++) {
      augmentInto(to, 10, image, 0, shape, { crop: 2, flip: true }, random);
      const key = String([...to.subarray(10)]);
      expect(all.has(key)).toBe(true);
      all.set(key, all.get(key)! + 1);
    }
    expect(Math.min(...all.values())).toBeGreaterThan(50);
    expect([...to.subarray(0, 10)]).toEqual(new Array(10).fill(0));
  });

  it("stays as it is without", () => {
    const to = new Uint8Array(40);
    augmentInto(to, 0, image, 0, shape, { crop: 0, flip: false }, new Random(1, "augmentation", 1));
    expect(to).toEqual(image);
  });
});

it("batches are the same whichever came before", () => {
  const examples = { count: 6, features: Uint8Array.from({ length: 240 }, (_, i) => i), labels: Uint8Array.from([0, 1, 2, 3, 4, 5]) };
  const plan = { examples, order: Uint32Array.from([5, 3, 1, 0, 2, 4]), batchSize: 2, augmentation: { crop: 1, flip: true, shape, seed: 9, generator: 1 as const } };
  const copied = (first: number) => Array.from(batchesInOrder(plan, first), ({ features, labels }) => [[...features], [...labels]]);
  expect(copied(0).slice(2)).toEqual(copied(2));
  expect(copied(0)).not.toEqual(Array.from(batchesInOrder({ ...plan, augmentation: { ...plan.augmentation, seed: 10 } }), ({ features, labels }) => [[...features], [...labels]]));
});

describe("a run", () => {
  const e = experiment.parse({
    dataset: { kind: "digits", trainExamples: 300, testExamples: 50, augmentation: { crop: 1, flip: true } },
    model: { hidden: [8] },
    batchSize: 60,
    budget: { epochs: 3 },
  });

  async function losses(from?: Captured, until = Infinity) {
    const prepared = await prepareRun(e);
    const control = new RunControl();
    const values: number[] = [];
    let captured: Captured | undefined;
    const ignore = () => undefined;
    const saver = { due: false, save: (state: Captured) => ((captured = state), Promise.resolve()) };
    const listener = { step: (record: { step: number; values: readonly number[] }) => (values.push(record.values[0]!), record.step + 1 >= until && control.stop()), evaluation: ignore, paused: ignore, resumed: ignore, rolledBack: ignore };
    const run = new TrainingRun(prepared, control, listener, saver as never);
    if (from) run.restore(from);
    await run.train();
    await prepared.executable.dispose();
    return { values, captured };
  }

  it("that is resumed in the middle of an epoch continues with the same images", async () => {
    const whole = await losses();
    const first = await losses(undefined, 8);
    expect(first.values).toEqual(whole.values.slice(0, 8));
    const rest = await losses(first.captured);
    expect(rest.values).toEqual(whole.values.slice(8));
  });
});

it("is refused for what is no image, and on in the paper's ResNet", () => {
  const problems = (dataset: object) => {
    const result = validateExperiment({ dataset, batchSize: 10 });
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  expect(problems({ kind: "iris", augmentation: { flip: true } })).toEqual(["dataset.augmentation.flip: only images can be mirrored; Iris has none"]);
  expect(problems({ kind: "digits", augmentation: { crop: 1.5 } })).toEqual(["dataset.augmentation.crop: dataset.augmentation.crop must be a whole number"]);
  expect(experiment.parse(findPreset("resnet-20")!.experiment).dataset.augmentation).toEqual({ crop: 4, flip: true });
});
