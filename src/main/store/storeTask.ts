/** Process that works on a store's file at low priority: `storeTask JSON`. */
import { constants, setPriority } from "node:os";
import { messageOf } from "../../shared/errors.ts";
import { BackupSkipped, makeBackup } from "./backup/make.ts";
import { storeTask, type TaskResult } from "./task.ts";
import { VacuumSkipped, vacuum } from "./vacuum.ts";

try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // The work can also be done at normal priority.
}
// The process that asked may have ended.
process.stdout.on("error", () => undefined);

async function work(): Promise<TaskResult> {
  try {
    const task = storeTask.parse(JSON.parse(process.argv[2] ?? ""));
    return { done: task.task === "backup" ? await makeBackup(task.file, task.reason) : await vacuum(task.file) };
  } catch (error) {
    return error instanceof BackupSkipped || error instanceof VacuumSkipped ? { skipped: error.message } : { failed: messageOf(error) };
  }
}

console.log(JSON.stringify(await work()));
