/**
 * `npm run bench:study-kill`: a study of 40 runs, killed whole (kill -9 of the command and its
 * trainers) again and again and resumed each time, against the same study undisturbed. Every
 * number of every run has to be the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finalPoints, numbersOf, startStudy } from "../support/studyProcess.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "3" },
    epochs: { type: "string", default: "3" },
    workers: { type: "string", default: "2" },
  },
});
const kills = Number(values.kills);

/** Figure 4a's grid of ten step sizes, heights 0 to 3, one seed, on all of MNIST. */
const study = [
  "--preset", "figure4a-quick",
  "--set", "axes.0.values.from=1e-7", "--set", "axes.0.values.points=10",
  "--set", `base.budget.epochs=${values.epochs}`,
  "--workers", values.workers,
];

const folder = mkdtempSync(join(tmpdir(), "hypertower-kill-"));
try {
  const began = performance.now();
  const whole = startStudy(join(folder, "whole"), study);
  if ((await whole.ended) !== 0) throw new Error("the undisturbed study did not end well");
  const undisturbed = performance.now() - began;
  const expected = numbersOf(finalPoints(whole));
  console.log(`undisturbed: ${expected.length} runs in ${(undisturbed / 1000).toFixed(1)} s`);

  let args: readonly string[] = study;
  for (let kill = 1; kill <= kills; kill++) {
    const killed = startStudy(join(folder, "killed"), args);
    // Somewhere in the middle of a run, never where the last one was.
    const after = (undisturbed / (kills + 1)) * (0.8 + 0.1 * kill);
    const timer = setTimeout(() => killed.kill(), after);
    const code = await killed.ended;
    clearTimeout(timer);
    if (code !== null) throw new Error(`kill ${kill} came too late: the study had ended with ${code}`);
    const ended = killed.lines.filter(({ type }) => type === "run").length;
    console.log(`kill ${kill} after ${(after / 1000).toFixed(1)} s: ${ended} more runs had ended`);
    args = ["--resume", "last"];
  }
  const resumed = startStudy(join(folder, "killed"), args);
  if ((await resumed.ended) !== 0) throw new Error("the resumed study did not end well");
  const found = numbersOf(finalPoints(resumed));
  const different = found.filter((point, i) => !isDeepStrictEqual(point, expected[i]));
  if (different.length > 0 || found.length !== expected.length) {
    console.log(JSON.stringify(different.slice(0, 3), null, 2));
    throw new Error(`${different.length} of ${expected.length} runs came out differently`);
  }
  console.log(`resumed: all ${found.length} runs came out the same, to the last digit`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
