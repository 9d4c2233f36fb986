/** `npm run test:corruption -- [FLIPS] [SEED] [CUTS] [STEPS]`: single changed bytes and cuts of every file of a store. */
import { corruptionTable, corruptionTrials } from "./corruptionTrials.ts";

const [flips = 500, seed = 1, cuts = 100, steps = 1_500] = process.argv.slice(2).map(Number);
const begin = performance.now();
const trials = await corruptionTrials({
  flips,
  cuts,
  seed,
  steps,
  onTrial: ({ failures, fault, file, at, was, now }) => {
    for (const failure of failures) console.log(`FAILED ${fault} of ${file} at ${at} (${was} -> ${now}): ${failure}`);
  },
});
console.log(`${flips} flips and ${cuts} cuts, seed ${seed}, ${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
console.log(corruptionTable(trials));
if (trials.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
