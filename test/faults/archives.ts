/**
 * Damaged archives: `node test/faults/archives.ts [SECONDS] [SEED]`. Imports mutated real archives; each has to be
 * imported whole or refused in words, without a crash or a change of the store, and with little memory.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store } from "../../src/main/store/store.ts";
import { fuzzArchives } from "../support/archiveFuzz.ts";
import { addRun, addStudy, writeArchive } from "../support/archives.ts";
import { randomOf } from "./random.ts";

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
const root = mkdtempSync(join(tmpdir(), "hypertower-archives-"));
/** MiB that the process may grow by. */
const maxGrowth = 512;

try {
  const folder = join(root, "from");
  const store = new Store(folder);
  const run = addRun(store, folder, { steps: 400 });
  const { id } = addStudy(store, folder, 2);
  const archives: Buffer[] = [];
  for (const content of [{ runs: [run.id] }, { studies: [id] }, { studies: [id], runs: [run.id] }]) archives.push(readFileSync((await writeArchive(store, folder, content)).path));
  store.close();
  rmSync(folder, { recursive: true });
  const before = process.memoryUsage().rss;
  let most = before;
  const began = Date.now();
  const { tried, imported, faults } = await fuzzArchives(root, archives, randomOf(seed), () => {
    most = Math.max(most, process.memoryUsage().rss);
    return Date.now() - began < seconds * 1_000;
  });
  const growth = Math.round((most - before) / 2 ** 20);
  if (growth > maxGrowth) faults.push(`memory grew by ${growth} MiB`);
  console.log(`seed ${seed}: ${tried} archives (${Math.round(tried / seconds)}/s), ${imported} imported, ${tried - imported} refused, memory +${growth} MiB, ${faults.length} faults`);
  for (const fault of faults) console.log(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  rmSync(root, { recursive: true, force: true });
}
