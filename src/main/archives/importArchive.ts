/** Imports archives and merges stores in a thread of its own: a large one takes minutes, and the host has runs to watch. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ArchiveError } from "./errors.ts";
import type { Report } from "./takeIn.ts";

export interface ImportOrder {
  /** Path of the archive. */
  readonly path: string;
  /** Folder of the store. */
  readonly folder: string;
}

/** Another store to copy from, instead of an archive. */
export interface MergeOrder {
  readonly from: string;
  readonly folder: string;
}

export type ImportAnswer = { readonly report: Report; readonly remarks: readonly string[] } | { readonly refused: string } | { readonly failed: string };

/** Next to the sources, or next to the built program. */
function workerFile(): string {
  const here = import.meta.dirname;
  if (import.meta.filename.endsWith(".ts")) return join(here, "worker.ts");
  const built = join(here, "importWorker.js");
  return existsSync(built) ? built : join(here, "../importWorker.js");
}

/** @throws ArchiveError saying why nothing was imported */
export async function importArchive(order: ImportOrder): Promise<Report> {
  return (await inWorker(order, order.path)).report;
}

/** Merges another store; `remarks` name what is left out. @throws ArchiveError; what was taken in before stays */
export function mergeInWorker(order: MergeOrder): Promise<{ report: Report; remarks: readonly string[] }> {
  return inWorker(order, order.from);
}

function inWorker(order: ImportOrder | MergeOrder, path: string): Promise<{ report: Report; remarks: readonly string[] }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile(), { workerData: order, name: "import", resourceLimits: { maxOldGenerationSizeMb: 1024 } });
    worker.once("message", (answer: ImportAnswer) => {
      if ("report" in answer) resolve(answer);
      else reject("refused" in answer ? new ArchiveError(answer.refused) : new Error(answer.failed));
    });
    worker.once("error", (error) => reject(new ArchiveError(`${path} cannot be imported: ${error.message}. ${"from" in order ? "Merge again; what is here already is skipped" : "Nothing was imported"}.`, { cause: error })));
    worker.once("exit", () => reject(new ArchiveError(`${path} was not imported: the import was ended.`)));
  });
}
