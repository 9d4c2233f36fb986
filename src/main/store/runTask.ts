/** Does a task on a store's file in this process. */
import { makeBackup } from "./backup/make.ts";
import { inspectStore, inspectWhole } from "./inspection.ts";
import type { StoreTask } from "./task.ts";
import { vacuum } from "./vacuum.ts";

/** Resolves to what the task says it has done. @throws BackupSkipped or VacuumSkipped where nothing is wrong, but it was not done */
export async function runTask(task: StoreTask): Promise<string> {
  switch (task.task) {
    case "backup":
      return makeBackup(task.file, task.reason);
    case "vacuum":
      return vacuum(task.file);
    case "inspect":
      return JSON.stringify(task.check ? await inspectWhole(task.file) : inspectStore(task.file, false));
  }
}
