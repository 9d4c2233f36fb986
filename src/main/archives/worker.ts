/** Thread that imports one archive, or merges one store. */
import { parentPort, workerData } from "node:worker_threads";
import { StoreError } from "../store/errors.ts";
import { ArchiveError } from "./errors.ts";
import type { ImportAnswer, ImportOrder, MergeOrder } from "./importArchive.ts";
import { importInto } from "./importInto.ts";
import { mergeInto } from "./merge.ts";

const order = workerData as ImportOrder | MergeOrder;
const remarks: string[] = [];
const answer = (said: ImportAnswer) => parentPort!.postMessage(said);
try {
  const report = "from" in order ? await mergeInto(order.from, order.folder, (remark) => remarks.push(remark)) : await importInto(order.path, order.folder);
  answer({ report, remarks });
} catch (error) {
  if (error instanceof ArchiveError || error instanceof StoreError) answer({ refused: error.message });
  else answer({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
