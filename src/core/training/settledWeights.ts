import type { NamedArray } from "../weights/file.ts";
import type { PreparedRun } from "./prepare.ts";

/** The model's latest settled weights. */
export async function settledWeights({ model, training, executable }: Pick<PreparedRun, "model" | "training" | "executable">): Promise<NamedArray[]> {
  const statistics = model.buffers.filter(({ role }) => role === "statistics");
  const state = await executable.state([...training.settledState, ...statistics.map(({ name }) => name)]);
  const parameters = training.parametersOf(state);
  return [
    ...model.parameters.map(({ name, shape }) => ({ name, shape, values: parameters[name]! })),
    ...statistics.map(({ name, shape }) => ({ name, shape, values: state[name]! })),
  ];
}
