/** Thread that imports one archive. */
import { parentPort, workerData } from "node:worker_threads";
import { StoreError } from "../store/errors.ts";
import { ArchiveError } from "./errors.ts";
import type { ImportAnswer, ImportOrder } from "./importArchive.ts";
import { importInto } from "./importInto.ts";

const { path, folder } = workerData as ImportOrder;
const answer = (said: ImportAnswer) => parentPort!.postMessage(said);
try {
  answer({ report: await importInto(path, folder) });
} catch (error) {
  if (error instanceof ArchiveError || error instanceof StoreError) answer({ refused: error.message });
  else answer({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
