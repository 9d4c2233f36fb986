/** Scripts that tests start as processes of their own. */
import { join } from "node:path";
import { headless, processes } from "../../scripts/entries.mjs";

const root = join(import.meta.dirname, "../..");

/** Stand-ins and hosts of the tests, beside the program's own processes. */
const support = ["chaosHost", "chaosWorker", "claimHost", "failingHost", "failingTrainer", "fakeTrainer", "fullDisk", "leaseHost", "logWriter", "readOnlyStores", "storeWriterProcess", "stubbornImporter", "trainerParent", "trainingHost"] as const;

/** Sources by name, relative to the repository. */
export const processSources = { ...headless, ...processes, ...(Object.fromEntries(support.map((name) => [name, `test/support/${name}.ts`])) as Record<(typeof support)[number], string>) };

export type ProcessName = keyof typeof processSources;

/** Names the folder that holds a build of these scripts for one run of the tests; see buildProcesses.ts. */
export const builtVariable = "HYPERTOWER_TEST_PROCESSES";

/** Path of a script: its build, which starts in a third of the time, or else its source. */
export function processFile(name: ProcessName): string {
  const built = process.env[builtVariable];
  if (built) return join(built, `${name}.js`);
  return join(root, processSources[name]);
}
