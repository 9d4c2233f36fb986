/**
 * `npm run bench:leases`: two hosts on one store. The first is stopped like a machine that sleeps, the other resumes
 * one of its two runs, the first is continued. Prints the rows lost and double, and the other run's delay.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { leaseRound, undisturbed, type LeaseRound } from "../support/leaseRound.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" }, epochs: { type: "string", default: "60" } } });
const experiment = {
  tower: [{ optimizer: "adam" as const }, { optimizer: "sgd" as const, alpha: 1e-5 }],
  dataset: { kind: "mnist", trainExamples: 640, testExamples: 100 },
  batchSize: 16,
  budget: { epochs: Number(values.epochs) },
};

const folder = mkdtempSync(join(tmpdir(), "hypertower-leases-"));
const rounds: LeaseRound[] = [];
try {
  const expected = await undisturbed(join(folder, "alone"), experiment);
  console.log(`${expected.length} steps a run`);
  for (let round = 1; round <= Number(values.rounds); round++) {
    const one = await leaseRound(join(folder, `${round}`), experiment, expected);
    rounds.push(one);
    console.log(
      `round ${round}: lost ${one.lost}, double ${one.double}, different ${one.different}; taken run ${one.taken} (${one.events.join(", ")}), other run ${one.kept}; ` +
        `the other run's commits: first ${one.first.toFixed(0)} ms after the continuation, at most ${one.before.toFixed(0)} ms apart before, ${one.after.toFixed(0)} ms after`,
    );
  }
  const sum = (of: "lost" | "double" | "different") => rounds.reduce((total, one) => total + one[of], 0);
  const most = (of: "first" | "before" | "after") => Math.max(...rounds.map((one) => one[of])).toFixed(0);
  console.log(`${rounds.length} rounds: rows lost ${sum("lost")}, double ${sum("double")}, different ${sum("different")}`);
  console.log(`other run's commits: at most ${most("before")} ms apart before the sleep, ${most("after")} ms after; the first within ${most("first")} ms of the continuation`);
  if (sum("lost") + sum("double") + sum("different") > 0 || rounds.some(({ taken, kept }) => taken !== "finished" || kept !== "finished")) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
