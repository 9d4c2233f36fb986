/** Starts integrity checks as Node processes that outlive the command that started them. */
import { spawn } from "node:child_process";
import type { LaunchCheck } from "../store/integrityMonitor.ts";

/** @param entry path of the script `integrityCheck` */
export function checkLauncher(entry: string): LaunchCheck {
  return (storeFile) =>
    new Promise((resolve, reject) => {
      // Detached from the process group: Ctrl+C ends the command only.
      const child = spawn(process.execPath, [entry, storeFile], { detached: true, stdio: "ignore", windowsHide: true });
      child.once("error", reject);
      child.once("exit", () => resolve());
      child.unref();
    });
}
