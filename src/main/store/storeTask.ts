/** Process that works on a store's file at low priority: `storeTask JSON`. */
import { constants, setPriority } from "node:os";
import { messageOf } from "../../shared/errors.ts";
import { BackupSkipped } from "./backup/make.ts";
import { runTask } from "./runTask.ts";
import { storeTask, type TaskResult } from "./task.ts";
import { VacuumSkipped } from "./vacuum.ts";

try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // The work can also be done at normal priority.
}
// The process that asked may have ended.
process.stdout.on("error", () => undefined);

async function work(): Promise<TaskResult> {
  try {
    return { done: await runTask(storeTask.parse(JSON.parse(process.argv[2] ?? ""))) };
  } catch (error) {
    return error instanceof BackupSkipped || error instanceof VacuumSkipped ? { skipped: error.message } : { failed: messageOf(error) };
  }
}

const result = JSON.stringify(await work());
// Electron drops what a utility process writes just before its end.
const { parentPort } = process as { parentPort?: { postMessage(message: string): void } | null };
if (parentPort) parentPort.postMessage(result);
else process.stdout.write(`${result}\n`);
