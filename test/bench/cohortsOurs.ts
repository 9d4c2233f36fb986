/**
 * One cohort in a process of its own, trained as a study trains it: `node cohortsOurs.ts ENGINE RUNS one|each MS`.
 * Its runs have step sizes of their own, and one seed or a seed each: one order of the data, or an order each.
 */
import { EngineUnavailable } from "../../src/core/engines/failures.ts";
import { RunControl } from "../../src/core/training/control.ts";
import { prepareCohort, prepareRun, type PreparedRun } from "../../src/core/training/prepare.ts";
import { TrainingRun, type RunListener } from "../../src/core/training/run.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { validateExperiment } from "../../src/shared/experiment.ts";

const [, , kind = "onnx-cpu", size = "1", seeds = "one", time = "2000"] = process.argv;
const runs = Number(size);
const say = (value: object) => new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve()));

/** Steps that are not counted: procedures are compiled, caches fill. */
const warmUp = 6;

function experimentOf(run: number) {
  const alpha = 10 ** (-4 + (2 * run) / Math.max(1, runs - 1));
  const validated = validateExperiment({
    tower: [{ optimizer: "adam", alpha }, { optimizer: "sgd", alpha: 1e-5 }],
    seed: seeds === "each" ? run : 0,
    engine: { kind },
  });
  if (!validated.ok) throw new Error(validated.errors[0]!.message);
  return validated.experiment;
}

try {
  const experiments = Array.from({ length: runs }, (_, run) => experimentOf(run));
  const asked = performance.now();
  const prepared: PreparedRun[] = runs === 1 ? [await prepareRun(experiments[0]!)] : await prepareCohort(experiments.map((experiment, seat) => ({ experiment, seat })), runs);
  const preparation = performance.now() - asked;
  let since = performance.now();
  const silent: RunListener = { step: () => undefined, evaluation: () => undefined, paused: () => undefined, resumed: () => undefined, rolledBack: () => undefined };
  // The last run of a cohort is heard of when all have made the step.
  const clock: RunListener = {
    ...silent,
    step: ({ step }) => {
      if (step < warmUp) since = performance.now();
      const took = performance.now() - since;
      const steps = step - warmUp + 1;
      if (steps < 3 || took < Number(time)) return;
      void say({ ms: took / steps, steps, preparation, device: prepared[0]!.device, peak: process.resourceUsage().maxRSS / 1024 }).then(() => process.exit(0));
    },
  };
  await Promise.all(prepared.map((run, i) => new TrainingRun(run, new RunControl(), i === runs - 1 ? clock : silent).train()));
} catch (error) {
  await say({ problem: error instanceof EngineUnavailable ? error.why : messageOf(error) });
  process.exit(0);
}
