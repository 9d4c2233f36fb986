/**
 * `npm run bench:table1 -- --rows 8,18`: whole runs of Table 1's first column by the
 * authors' library and by ours, with the same initial weights and the same batches:
 * where our figures differ from the paper's, do the library's differ as well?
 */
import { parseArgs } from "node:util";
import { parseRows } from "../../src/main/headless/commands/table1.ts";
import { toEffective } from "../../src/main/hyperoptimizers/stored.ts";
import { RunControl } from "../../src/main/training/control.ts";
import { batchSizes } from "../../src/main/training/feed.ts";
import { prepareRun } from "../../src/main/training/prepare.ts";
import { TrainingRun } from "../../src/main/training/run.ts";
import { stepsPerEpoch, validateExperiment, type Experiment } from "../../src/shared/experiment.ts";
import { summarize } from "../../src/shared/statistics.ts";
import { table1Experiment } from "../../src/shared/table1.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import { startLibrary } from "./libraryPeer.ts";

const { values } = parseArgs({ options: { rows: { type: "string" }, seeds: { type: "string", default: "3" } } });
const seeds = Number(values.seeds);

interface Outcome {
  readonly testError: number | null;
  /** Level 0's hyperparameters at the end, effective, by metric. */
  readonly learned: Readonly<Record<string, number>>;
}

async function ours(experiment: Experiment): Promise<Outcome> {
  let testError: number | null = null;
  const nothing = () => undefined;
  const prepared = await prepareRun(experiment);
  const listener = { step: nothing, paused: nothing, resumed: nothing, rolledBack: nothing, evaluation: (e: { testError: number | null }) => (testError = e.testError) };
  const { hyperparameters } = await new TrainingRun(prepared, new RunControl(), listener).train();
  await prepared.executable.dispose();
  return { testError, learned: hyperparameters };
}

const library = await startLibrary();

async function theirs(experiment: Experiment): Promise<Outcome> {
  await library.load(experiment);
  const { trainExamples } = experiment.dataset;
  const [whole, rest] = batchSizes(trainExamples, experiment.batchSize) as [number, number | undefined];
  const epoch = Array.from({ length: stepsPerEpoch(experiment) }, (_, i) => (rest !== undefined && i === stepsPerEpoch(experiment) - 1 ? rest : whole));
  const sizes = Array.from({ length: experiment.budget.epochs }, () => epoch).flat();
  const { testError, final } = await library.train(experiment.tower, sizes, false);
  const learned = hyperparameterColumns(experiment.tower).map(({ metric, spec }) => [metric, toEffective(final[metric]!, spec.storedAs)] as const);
  return { testError, learned: Object.fromEntries(learned) };
}

const learnedOf = ({ learned }: Outcome, experiment: Experiment) =>
  hyperparameterColumns(experiment.tower)
    .filter(({ level }) => level === 0)
    .map(({ metric, spec }) => `${spec.symbol} ${learned[metric]!.toPrecision(4)}`)
    .join(", ");

const meanOf = (outcomes: readonly Outcome[]) => {
  const { mean, deviation } = summarize(outcomes.map(({ testError }) => testError ?? NaN));
  return `${mean.toFixed(2)}${deviation === null ? "" : ` ± ${deviation.toFixed(2)}`}`;
};

for (const row of parseRows(values.rows)) {
  const outcomes: { ours: Outcome; theirs: Outcome }[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const result = validateExperiment(table1Experiment(row, seed));
    if (!result.ok) throw new Error(result.errors[0]!.message);
    const { experiment } = result;
    const outcome = { theirs: await theirs(experiment), ours: await ours(experiment) };
    outcomes.push(outcome);
    console.log(
      `row ${row.number}, ${row.stack}, seed ${seed}: library ${outcome.theirs.testError!.toFixed(2)} % (${learnedOf(outcome.theirs, experiment)}),` +
        ` ours ${outcome.ours.testError?.toFixed(2) ?? "–"} % (${learnedOf(outcome.ours, experiment)})`,
    );
  }
  console.log(
    `row ${row.number}, ${row.stack}: library ${meanOf(outcomes.map((one) => one.theirs))} %, ours ${meanOf(outcomes.map((one) => one.ours))} %,` +
      ` paper ${row.paper.mean.toFixed(2)} ± ${row.paper.deviation?.toFixed(2) ?? "?"} %\n`,
  );
}
library.close();
process.exit(0);
