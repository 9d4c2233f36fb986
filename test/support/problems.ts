/** Small training problems for tests: a byte-valued classification that takes milliseconds. */
import { mlp } from "../../src/core/models/mlp.ts";
import { Random } from "../../src/core/models/random.ts";
import { classification } from "../../src/core/tasks/classification.ts";
import { buildTrainingProgram, type TrainingProgram } from "../../src/core/training/trainingProgram.ts";
import type { TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import { scheduledLevel } from "../../src/core/training/prepare.ts";
import { level as levelSchema } from "../../src/shared/tower.ts";

/** In which schedules of `level()` run. */
export const scheduleLength = { stepsPerEpoch: 5, totalSteps: 20 };

/** @param name an optimizer of the paper, such as `adam`, `adamBaydin` or `sgdPerParam` */
export function level(name: string, changes: Record<string, unknown> = {}): TowerLevel {
  return scheduledLevel(levelSchema.parse({ optimizer: name, ...changes }), scheduleLength);
}

export interface SmallProblem {
  readonly training: TrainingProgram;
  /** Initial weights by name. */
  readonly weights: Readonly<Record<string, Float64Array>>;
  readonly initialState: Record<string, Float64Array>;
  readonly batchSize: number;
  /** Inputs of the nth batch. */
  batch(n: number): { features: Uint8Array; labels: Uint8Array };
}

export interface SmallProblemOptions {
  readonly batchSize?: number;
  readonly features?: number;
  readonly hidden?: number;
  readonly hypergradients?: "moving" | "all";
  /** Of the initial weights. */
  readonly seed?: number;
}

export function smallProblem(levels: readonly TowerLevel[], options: SmallProblemOptions = {}): SmallProblem {
  const { batchSize = 16, features = 12, hidden = 8, hypergradients = "all", seed = 1 } = options;
  const classes = 4;
  const model = mlp({ widths: [features, hidden, classes], activation: "tanh", outputActivation: "tanh" });
  const training = buildTrainingProgram({
    task: classification({ model, exampleShape: [features], scale: 1 / 255 }),
    levels,
    batchSizes: [batchSize],
    evaluationBatchSizes: [batchSize],
    hypergradients,
  });
  const random = new Random(seed, "initialization", 1);
  const weights = Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]));
  return {
    training,
    batchSize,
    weights,
    initialState: training.initialState(weights),
    batch(n) {
      const random = new Random(1000 + n, "shuffling", 1);
      const labels = new Uint8Array(batchSize).map(() => random.below(classes));
      // Each class lights its own share of the features, plus noise.
      const values = new Uint8Array(batchSize * features).map((_, i) =>
        (i % features) % classes === labels[Math.floor(i / features)] ? 128 + random.below(128) : random.below(128),
      );
      return { features: values, labels };
    },
  };
}
