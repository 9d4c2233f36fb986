/** Models of every kind with weights, as files for inference and as predictors. */
import type { InputValue } from "../../src/core/engines/engine.ts";
import { buildModel } from "../../src/core/models/build.ts";
import { Random } from "../../src/core/models/random.ts";
import { inferenceModel } from "../../src/core/prediction/onnx/inferenceGraph.ts";
import { buildPredictor, scoresOf } from "../../src/core/prediction/program.ts";
import { sizeOf } from "../../src/core/program/node.ts";
import { classification } from "../../src/core/tasks/classification.ts";
import { languageModelling } from "../../src/core/tasks/languageModelling.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { model as modelSchema } from "../../src/shared/models/schema.ts";
import type { ModelCase } from "./modelProblems.ts";

/** A case's model with drawn weights; running statistics are not at their beginnings. */
export function inferenceCase({ data, model: config }: Pick<ModelCase, "data" | "model">) {
  const isText = data.input.kind === "tokens";
  const steps = data.input.shape[0]!;
  const model = buildModel(describeModel(modelSchema.parse(config), data));
  const random = new Random(7, "initialization", 1);
  const drawn = (size: number, from: number) => Float64Array.from({ length: size }, () => Math.fround(from + random.uniform()));
  const weights = [
    ...model.parameters.map(({ name, shape, initialize }) => ({ name, shape, values: Float64Array.from(initialize(random), Math.fround) })),
    ...model.buffers.filter(({ role }) => role === "statistics").map(({ name, shape }) => ({ name, shape, values: drawn(sizeOf(shape), name.endsWith("var") ? 0.5 : -0.5) })),
  ];
  const task = isText ? languageModelling({ model, steps }) : classification({ model, exampleShape: data.input.shape, scale: 1 / 255 });
  /** Features or symbols of `batch` examples. */
  const examples = (batch: number): Int32Array | Uint8Array => {
    const count = batch * sizeOf(data.input.shape);
    if (data.input.kind !== "tokens") return Uint8Array.from({ length: count }, () => random.below(256));
    const { vocabulary } = data.input;
    return Int32Array.from({ length: count }, () => random.below(vocabulary));
  };
  /** Log-probabilities by the float64 reference, `[batch, classes]` or step by step. */
  const expected = async (given: Int32Array | Uint8Array, batch: number): Promise<{ scores: Float64Array; width: number }> => {
    const { executable, width } = await buildPredictor({ experiment: { engine: { kind: "reference", threads: 1 } }, model, task, batchSizes: [batch], weights });
    const inputs: Record<string, InputValue> = isText ? { symbols: given as Int32Array, targets: new Int32Array(given.length), carry: Float64Array.of(0) } : { features: given, labels: new Uint8Array(batch) };
    await executable.run(`predict@${batch}`, inputs);
    return { scores: (await executable.state([scoresOf(batch)]))[scoresOf(batch)]!, width };
  };
  const file = (states = false) => inferenceModel({ model, task, weights, perStep: isText, states, standardization: null, metadata: { run: "a" } });
  return { isText, steps, shape: data.input.shape, examples, expected, file, weights };
}

