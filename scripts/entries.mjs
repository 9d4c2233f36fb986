/** Entries of every build, by the names under which the program starts them: a file that it starts is in each package. */

/** Processes and threads of the desktop app and of the command line. */
export const processes = {
  trainer: "src/main/trainer/trainer.ts",
  importer: "src/main/importing/importer.ts",
  integrityCheck: "src/main/store/integrityCheck.ts",
  importWorker: "src/main/archives/worker.ts",
  storeTask: "src/main/store/storeTask.ts",
  batchWorker: "src/core/feeds/ahead/worker.ts",
};
export const desktop = { desktop: "src/main/desktop/index.ts" };
export const headless = { headless: "src/main/headless/entry.ts" };
export const library = { library: "src/library/index.ts" };

/** @param {Readonly<Record<string, string>>} entries @param {(path: string) => string} at the full path @returns {Record<string, string>} */
export const inputOf = (entries, at) => Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, at(path)]));
