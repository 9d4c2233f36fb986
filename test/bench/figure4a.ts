/**
 * `npm run bench:figure4a`: cells of the paper's Figure 4a, whole runs by the authors' library and
 * by ours with the same initial weights and the same batches: where our figure differs from the
 * paper's, does the library's differ as well? A line for each run on standard error, then a
 * table in Markdown.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { formatHyperparameter, type LevelInput } from "../../src/shared/tower.ts";
import { findPaperFigure } from "../../src/shared/study/paperFigures.ts";
import { startLibrary } from "./libraryPeer.ts";
import { bothTrained, experimentOf, meanError, type Outcomes } from "./wholeRuns.ts";

const { values } = parseArgs({
  options: {
    "step-sizes": { type: "string", default: "1e-2,1e-1,1,10,100" },
    heights: { type: "string", default: "1,2,3" },
    seeds: { type: "string", default: "3" },
    epochs: { type: "string", default: "30" },
    /** Examples as they stand, in every epoch. */
    "no-shuffle": { type: "boolean", default: false },
  },
});
const numbers = (list: string) => list.split(",").map(Number);
const [stepSizes, heights] = [numbers(values["step-sizes"]), numbers(values.heights)];
const seeds = Number(values.seeds);
const figure = findPaperFigure("figure4a")!;

const cells = stepSizes.flatMap((alpha) =>
  heights.map((height) => ({
    alpha,
    height,
    tower: Array.from({ length: height + 1 }, (): LevelInput => ({ optimizer: "sgd", alpha })),
    paper: figure.curves.find((curve) => curve.height === height)?.values[figure.x.indexOf(alpha)],
    outcomes: [] as Outcomes[],
  })),
);

const library = await startLibrary(1);
for (let seed = 0; seed < seeds; seed++) {
  for (const { alpha, height, tower, outcomes } of cells) {
    const outcome = await bothTrained(library, experimentOf({ tower, budget: { epochs: Number(values.epochs) }, shuffle: !values["no-shuffle"], seed }));
    outcomes.push(outcome);
    const words = ({ testError, learned }: Outcomes["ours"]) => `${errorOf({ testError })} % (α ${learned["L0.alpha"]!.toPrecision(4)})`;
    console.error(`step size ${formatHyperparameter(alpha)}, height ${height}, seed ${seed}: library ${words(outcome.library)}, ours ${words(outcome.ours)}`);
  }
}
library.close();

console.log(`${cpus()[0]?.model.trim() ?? "?"}; node ${process.versions.node}; torch ${library.torch}; ${values.epochs} epochs${values["no-shuffle"] ? ", not shuffled" : ""}\n`);
console.log("| step size | height | library, seed by seed | ours, seed by seed | library | ours | paper |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const { alpha, height, paper, outcomes } of cells) {
  const [theirs, ours] = [outcomes.map((one) => one.library), outcomes.map((one) => one.ours)];
  const each = (list: typeof ours) => list.map(errorOf).join(", ");
  console.log(`| ${formatHyperparameter(alpha)} | ${height} | ${each(theirs)} | ${each(ours)} | ${meanError(theirs)} | ${meanError(ours)} | ${paper ?? "–"} |`);
}
process.exit(0);

function errorOf({ testError }: Pick<Outcomes["ours"], "testError">): string {
  return testError === null || !Number.isFinite(testError) ? "diverged" : testError.toFixed(2);
}
