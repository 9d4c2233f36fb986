/** Damaged files of a store: what a check notices, and what a salvage saves. `npm run test:corruption` has the long edition. */
import { writeFileSync, truncateSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { salvageStore } from "../../../src/main/hosting/salvage.ts";
import { verifyStore } from "../../../src/main/hosting/verify.ts";
import { corruptionTable, corruptionTrials } from "../../faults/corruptionTrials.ts";
import { everything } from "../../support/edition.ts";
import { editStore, storedRun } from "../../support/storedRun.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

it("no changed byte or cut passes unseen, and every run that SQL reads is salvaged", async () => {
  const size = everything ? { flips: 20, cuts: 6, steps: 1_500 } : { flips: 3, cuts: 1, steps: 600 };
  const trials = await corruptionTrials({ ...size, seed: 5 });
  expect(trials.flatMap(({ failures }) => failures), corruptionTable(trials)).toEqual([]);
});

it("a run whose values are damaged is saved around them, and says which are missing", async () => {
  const { folder, file, run } = storedRun();
  editStore(file, "UPDATE series_values SET value = 0.5 WHERE metric = 1 AND step = 300; DELETE FROM evaluations WHERE step = 500");
  const into = join(freshFolder(), "new");
  const report = await salvageStore(folder, into);
  expect(report.runs).toMatchObject([{ id: run, outcome: "part", steps: 1_000, evaluations: 1, losses: ["1 evaluation is lost", "loss: steps 256–511 are lost and shown as missing"] }]);
  const store = openStore(into);
  const steps = [...store.readSteps(run)];
  expect(steps.filter(({ values }) => Number.isNaN(values[0])).map(({ step }) => step)).toEqual(Array.from({ length: 256 }, (_, i) => 256 + i));
  expect(steps.every(({ step, values }) => values[1] === Math.sin(step + 1))).toBe(true);
  expect(store.getRun(run)!.events.at(-1)).toMatchObject({ kind: "salvaged", message: expect.stringContaining("steps 256–511 are lost") as string });
  store.closeNow();
  expect((await verifyStore(into, { data: into })).findings).toEqual([]);
});

it("a damaged header, list of tables or root of a table does not keep runs from being saved", async () => {
  for (const [from, length] of [[0, 100], [100, 400], [4_096, 4_096]] as const) {
    const { folder, file, run } = storedRun();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, from, from + length);
    writeFileSync(file, bytes);
    expect((await verifyStore(folder, { data: folder })).findings.some(({ severity }) => severity === "damage")).toBe(true);
    const report = await salvageStore(folder, join(freshFolder(), "new"));
    expect(report.runs.map(({ id }) => id), `bytes from ${from}`).toEqual([run]);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  }
});

it("refuses to salvage into a store, or from a folder without one, and leaves nothing behind", async () => {
  const { folder, file } = storedRun();
  await expect(salvageStore(folder, folder)).rejects.toThrow(/already holds a store/);
  const none = freshFolder();
  await expect(salvageStore(none, join(none, "new"))).rejects.toThrow(/There is no store/);
  truncateSync(file, 0);
  const into = join(none, "empty");
  await expect(salvageStore(folder, into)).rejects.toThrow(/Nothing of .* could be salvaged/);
  expect(existsSync(into)).toBe(false);
});
