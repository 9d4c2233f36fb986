/** How engines are compared with the float64 reference. */
import type { Engine, StateValues } from "../../src/main/engines/engine.ts";
import type { TowerLevel } from "../../src/main/hyperoptimizers/tower.ts";
import type { Node } from "../../src/main/program/node.ts";
import { makeProgram } from "../../src/main/program/program.ts";
import { sampleState, type samples } from "./operationSamples.ts";
import { smallProblem } from "./problems.ts";

/** A few roundings of float32 (6e-8 each), relative to the largest entry. */
export const operationTolerance = 2e-6;
/** After 30 steps: roundings add up and pass through square roots and divisions. */
export const trainingTolerance = 2e-4;

export async function trained(engine: Engine, levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const executable = await engine.compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const losses: number[] = [];
  for (let t = 0; t < steps; t++) losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
  const hyperparameters = Object.values(await executable.run("settle"));
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const state: StateValues = await executable.state();
  await executable.dispose();
  return { losses, hyperparameters, evaluation, state };
}

type Inputs = (typeof samples)["add"][number]["inputs"];

/** The value of an operation's sample on an engine. */
export async function resultOf(engine: Engine, inputs: Inputs, result: Node): Promise<Float64Array> {
  const program = makeProgram({ run: { outputs: {}, updates: { result } } });
  const given = Object.fromEntries(inputs.map(({ node, values }) => [node.op === "input" ? node.attributes.name : "", values]));
  const executable = await engine.compile(program, { threads: 1 });
  executable.restore(Object.fromEntries(Object.entries(sampleState).filter(([name]) => program.state.some((v) => v.name === name))));
  await executable.run("run", given);
  const value = (await executable.state())["result"]!;
  await executable.dispose();
  return value;
}
