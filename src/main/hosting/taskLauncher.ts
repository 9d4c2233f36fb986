/** Starts tasks on a store's file as Node processes that outlive the command that started them. */
import { spawn } from "node:child_process";
import { resultOf, type LaunchTask } from "../store/task.ts";

/** @param entry path of the script `storeTask` */
export function taskLauncher(entry: string): LaunchTask {
  return (task) =>
    new Promise((resolve, reject) => {
      // Detached from the process group: Ctrl+C ends the command only.
      const child = spawn(process.execPath, [entry, JSON.stringify(task)], { detached: true, stdio: ["ignore", "pipe", "ignore"], windowsHide: true });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.once("error", reject);
      child.once("close", () => resolve(resultOf(output)));
      child.unref();
      (child.stdout as unknown as { unref?: () => void }).unref?.();
    });
}
