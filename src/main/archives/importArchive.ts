/** Imports archives in a thread of its own: a large one takes minutes, and the host has runs to watch. */
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

export type ImportAnswer = { readonly report: Report } | { readonly refused: string } | { readonly failed: string };

/** Next to the sources, or next to the built program. */
function workerFile(): string {
  const here = import.meta.dirname;
  if (import.meta.filename.endsWith(".ts")) return join(here, "worker.ts");
  const built = join(here, "importWorker.js");
  return existsSync(built) ? built : join(here, "../importWorker.js");
}

/** @throws ArchiveError saying why nothing was imported */
export function importArchive(order: ImportOrder): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile(), { workerData: order, name: "import", resourceLimits: { maxOldGenerationSizeMb: 1024 } });
    worker.once("message", (answer: ImportAnswer) => {
      if ("report" in answer) resolve(answer.report);
      else reject("refused" in answer ? new ArchiveError(answer.refused) : new Error(answer.failed));
    });
    worker.once("error", (error) => reject(new ArchiveError(`${order.path} cannot be imported: ${error.message}. Nothing was imported.`, { cause: error })));
    worker.once("exit", () => reject(new ArchiveError(`${order.path} was not imported: the import was ended.`)));
  });
}
