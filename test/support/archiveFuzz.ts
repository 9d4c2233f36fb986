/** Imports damaged archives: each is imported whole or refused in words, and a refusal changes nothing. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { ArchiveError } from "../../src/main/archives/errors.ts";
import { importInto } from "../../src/main/archives/importInto.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { Store } from "../../src/main/store/store.ts";
import { StoreError } from "../../src/main/store/errors.ts";
import { faultOf } from "../faults/fuzz/verdict.ts";
import { mutated } from "./archiveMutations.ts";

export interface FuzzResult {
  readonly tried: number;
  readonly imported: number;
  /** What went wrong: an error of the program, a change by a refused archive, a file outside. */
  readonly faults: string[];
}

/**
 * @param root an empty folder
 * @param goesOn whether to try another one
 */
export async function fuzzArchives(root: string, archives: readonly Buffer[], random: () => number, goesOn: (tried: number) => boolean): Promise<FuzzResult> {
  const folder = join(root, "inside", "store");
  const file = join(root, "inside", "damaged.hypertower");
  mkdirSync(join(root, "inside"));
  writeFileSync(file, archives[0]!);
  await importInto(file, folder);
  const watcher = new Database(join(folder, storeFileName), { readonly: true });
  const state = () => JSON.stringify([watcher.pragma("data_version"), ...["checkpoints", "weights"].map((name) => readdirSync(join(folder, name)))]);
  const faults: string[] = [];
  let tried = 0;
  let imported = 0;
  try {
    for (; goesOn(tried); tried++) {
      const { what, bytes } = mutated(archives[tried % archives.length]!, random);
      writeFileSync(file, bytes);
      const before = state();
      try {
        await importInto(file, folder);
        imported++;
      } catch (error) {
        const isRefusal = error instanceof ArchiveError || error instanceof StoreError;
        const fault = faultOf(error);
        if (fault !== null) faults.push(`${what} ${tried}: ${fault}`);
        else if (!isRefusal) faults.push(`${what} ${tried}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        // A store is opened only for an archive that was found whole.
        if (state() !== before && !(isRefusal && onlyHosts(watcher))) faults.push(`${what} ${tried}: refused, but the store was changed`);
      }
      const outside = [...readdirSync(root), ...readdirSync(join(root, "inside"))];
      if (outside.join() !== "inside,damaged.hypertower,store" || existsSync("/outside")) faults.push(`${what} ${tried}: wrote outside: ${outside.join()}`);
      if (faults.length > 20) break;
    }
    if (watcher.pragma("integrity_check", { simple: true }) !== "ok") faults.push("the store is damaged");
    if ((watcher.pragma("foreign_key_check") as unknown[]).length > 0) faults.push("the store has rows without a run");
  } finally {
    watcher.close();
  }
  const store = new Store(folder, { log: { warn: () => undefined, error: (text) => faults.push(text) } });
  for (const { id } of [...store.listRuns(), ...store.listRuns(true)]) {
    const { createdAt, metrics } = store.getRun(id)!;
    new Date(createdAt).toISOString();
    for (const { values } of store.readSteps(id)) if (values.length !== metrics.length) faults.push(`run ${id} lacks a value`);
  }
  for (const { id } of [...store.studies.list(false), ...store.studies.list(true)]) store.studies.runs(id);
  store.close();
  return { tried, imported, faults };
}

/** Whether no import left a row of a process behind. */
const onlyHosts = (db: Database.Database): boolean => (db.prepare("SELECT count(*) FROM hosts").pluck().get() as number) === 0;
