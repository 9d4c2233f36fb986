import { join } from "node:path";
import { expect, it } from "vitest";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { everything } from "../../support/edition.ts";
import { leaseRound, undisturbed } from "../../support/leaseRound.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

// How a process is stopped is read from /proc.
it.runIf(everything && process.platform === "linux")("a host that slept while another took one of its runs loses no row of either, and says who trains it", async () => {
  const experiment: ExperimentInput = { dataset: { kind: "mnist", trainExamples: 640, testExamples: 100 }, batchSize: 16, budget: { epochs: 20 } };
  const folder = freshFolder();
  const expected = await undisturbed(join(folder, "alone"), experiment);
  const round = await leaseRound(join(folder, "two"), experiment, expected);
  expect(round).toMatchObject({ lost: 0, double: 0, different: 0, taken: "finished", kept: "finished" });
  expect(round.notice).toMatch(/^Another Hypertower process took this run over/);
  expect(round.events).toEqual(expect.arrayContaining(["interrupted", "resumed", "takenOver", "finished"]));
}, 300_000);
