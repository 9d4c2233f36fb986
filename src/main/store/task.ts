/** Work on a store's file that a process of its own does, so that the caller is never blocked. */
import { z } from "zod";
import { backupReasons } from "../../shared/backups.ts";

export const storeTask = z.discriminatedUnion("task", [
  z.strictObject({ task: z.literal("backup"), file: z.string(), reason: z.enum(backupReasons) }),
  z.strictObject({ task: z.literal("vacuum"), file: z.string() }),
  z.strictObject({ task: z.literal("inspect"), file: z.string(), check: z.boolean() }),
]);
export type StoreTask = z.infer<typeof storeTask>;

/** Last line that a task prints. `skipped`: nothing is wrong, but the work was not done. */
export const taskResult = z.union([
  z.strictObject({ done: z.string() }),
  z.strictObject({ skipped: z.string() }),
  z.strictObject({ failed: z.string() }),
]);
export type TaskResult = z.infer<typeof taskResult>;

/** Starts a task; resolves to its result when its process has ended. Must not keep this process alive. */
export type LaunchTask = (task: StoreTask) => Promise<TaskResult>;

/** Result of a process that has ended. @param output its standard output */
export function resultOf(output: string): TaskResult {
  try {
    return taskResult.parse(JSON.parse(output.trim().split("\n").at(-1) ?? ""));
  } catch {
    return { failed: "its process ended without a result" };
  }
}
