/**
 * `npm run bench:table1 -- --rows 8,18`: whole runs of Table 1's first column by the
 * authors' library and by ours, with the same initial weights and the same batches:
 * where our figures differ from the paper's, do the library's differ as well?
 */
import { parseArgs } from "node:util";
import { parseRows } from "../../src/main/headless/commands/table1.ts";
import type { Experiment } from "../../src/shared/experiment.ts";
import { table1Experiment } from "../../src/shared/table1.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import { startLibrary } from "./libraryPeer.ts";
import { bothTrained, experimentOf, meanError, type Outcome, type Outcomes } from "./wholeRuns.ts";

const { values } = parseArgs({ options: { rows: { type: "string" }, seeds: { type: "string", default: "3" } } });
const seeds = Number(values.seeds);

const library = await startLibrary();

const learnedOf = ({ learned }: Outcome, experiment: Experiment) =>
  hyperparameterColumns(experiment.tower)
    .filter(({ level }) => level === 0)
    .map(({ metric, spec }) => `${spec.symbol} ${learned[metric]!.toPrecision(4)}`)
    .join(", ");

for (const row of parseRows(values.rows)) {
  const outcomes: Outcomes[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const experiment = experimentOf(table1Experiment(row, seed));
    const outcome = await bothTrained(library, experiment);
    outcomes.push(outcome);
    console.log(
      `row ${row.number}, ${row.stack}, seed ${seed}: library ${outcome.library.testError!.toFixed(2)} % (${learnedOf(outcome.library, experiment)}),` +
        ` ours ${outcome.ours.testError?.toFixed(2) ?? "–"} % (${learnedOf(outcome.ours, experiment)})`,
    );
  }
  console.log(
    `row ${row.number}, ${row.stack}: library ${meanError(outcomes.map((one) => one.library))} %, ours ${meanError(outcomes.map((one) => one.ours))} %,` +
      ` paper ${row.paper.mean.toFixed(2)} ± ${row.paper.deviation?.toFixed(2) ?? "?"} %\n`,
  );
}
library.close();
process.exit(0);
