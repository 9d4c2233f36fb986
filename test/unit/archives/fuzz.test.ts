/** Damaged archives; `npm run test:fuzz-archives` tries many more. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { randomOf } from "../../faults/random.ts";
import { fuzzArchives } from "../../support/archiveFuzz.ts";
import { addRun, addStudy, writeArchive } from "../../support/archives.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

it("damaged archives are imported whole or refused in words, and a refusal changes nothing", async () => {
  const folder = freshFolder();
  const store = openStore(folder);
  const run = addRun(store, folder, { steps: 50 });
  const { id } = addStudy(store, folder, 1);
  const archives = [];
  for (const content of [{ runs: [run.id] }, { studies: [id], runs: [run.id] }]) archives.push(readFileSync((await writeArchive(store, folder, content)).path));
  const { tried, faults } = await fuzzArchives(freshFolder(), archives, randomOf(14), (count) => count < 300);
  expect(faults).toEqual([]);
  expect(tried).toBe(300);
}, 60_000);
