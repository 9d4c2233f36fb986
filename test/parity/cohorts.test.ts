/** A cohort's members compute what the same runs compute alone: to float64 in the reference, to float32 tolerance in every other engine. */
import { describe, expect, it } from "vitest";
import { compileCohort } from "../../src/core/engines/cohort.ts";
import type { Engine, Executable, InputValue, StateValues } from "../../src/core/engines/engine.ts";
import { loadEngine } from "../../src/core/engines/index.ts";
import type { TrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { difference } from "../support/difference.ts";
import { everything } from "../support/edition.ts";
import { presentEngines } from "../support/engines.ts";
import { modelCases, modelProblem, batchSize as modelBatch } from "../support/modelProblems.ts";
import { smallProblem } from "../support/problems.ts";
import { stacks } from "../support/stacks.ts";

const runs = 3;

/** Stacks that need of an engine all that other stacks need: values for each parameter, groups, sums over all weights, products of matrices, conditions. */
const telling = [
  "SGD",
  "Adam / Adam / SGD",
  "looking ahead, normalized: Adam / SGD",
  "Adam and SGD with momentum, clipped / SGD with horizons / SGD",
  "SGDPerParam / SGD",
  "Muon / SGD",
  "Prodigy / SGD",
];

interface Problem {
  readonly training: TrainingProgram;
  readonly initialState: StateValues;
  readonly batchSize: number;
  readonly batch: (n: number) => Readonly<Record<string, InputValue>>;
}

/** The same problem from other weights, other hyperparameters and with other data for each run. */
function variants(make: (seed: number) => Problem): Problem[] {
  return Array.from({ length: runs }, (_, run) => {
    const problem = make(run + 1);
    const changed = problem.training.hyperparameters.map(({ name }) => [name, problem.initialState[name]!.map((value) => value * (1 + run / 20))]);
    return { ...problem, initialState: { ...problem.initialState, ...Object.fromEntries(changed) }, batch: (n) => problem.batch(n + 100 * run) };
  });
}

async function train(executable: Executable, { initialState, batchSize, batch }: Problem, steps: number) {
  executable.restore(initialState);
  const rows: Readonly<Record<string, number>>[] = [];
  for (let t = 0; t < steps; t++) rows.push(await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
  const settled = await executable.run("settle");
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const state = await executable.state();
  await executable.dispose();
  return { losses: rows.map((row) => row["loss"]!), outputs: rows.map((row) => Object.values(row)), settled, evaluation, state };
}

async function compare(engine: Engine, problems: readonly Problem[], steps: number, tolerance: number): Promise<void> {
  const { program } = problems[0]!.training;
  const seats = await compileCohort(engine, program, runs, { threads: 1 });
  const together = await Promise.all(seats.map((seat, run) => train(seat, problems[run]!, steps)));
  for (const [run, problem] of problems.entries()) {
    const alone = await train(await engine.compile(program, { threads: 1 }), problem, steps);
    const ours = together[run]!;
    expect(difference(ours.losses, alone.losses), `losses of run ${run}`).toBeLessThan(tolerance);
    expect(difference(Object.values(ours.settled), Object.values(alone.settled)), `hyperparameters of run ${run}`).toBeLessThan(tolerance);
    expect(difference([ours.evaluation["loss"]!], [alone.evaluation["loss"]!]), `evaluation of run ${run}`).toBeLessThan(tolerance);
    for (const [name, expected] of Object.entries(alone.state)) {
      // Higher levels' hypergradients are products of tiny numbers: what they move is compared above.
      if (!/^L\d.*hypergradient/.test(name)) expect(difference(ours.state[name]!, expected), `${name} of run ${run}`).toBeLessThan(20 * tolerance);
    }
  }
}

for (const kind of presentEngines) {
  describe(kind, async () => {
    const engine = await loadEngine[kind]();
    const exact = kind === "reference";

    // A cohort is a transformed program, the same for every engine: the reference shows that each stack's and each model's is right.
    const chosen = Object.entries(stacks).filter(([name]) => everything || exact || telling.includes(name));
    it.each(chosen)("15 steps of %s", (_, levels) => compare(engine, variants((seed) => smallProblem(levels, { seed })), 15, exact ? 1e-12 : 2e-4));

    it.runIf(everything || exact).each(Object.entries(modelCases))("some steps of %s", (_, of) =>
      compare(engine, variants((seed) => ({ ...modelProblem(of, seed), batchSize: modelBatch })), everything ? 6 : 3, exact ? 1e-11 : 2e-3));
  });
}
