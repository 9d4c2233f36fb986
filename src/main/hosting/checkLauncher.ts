/** Starts integrity checks as processes of Node that outlive the command which started them. */
import { spawn } from "node:child_process";
import type { LaunchCheck } from "../store/integrityMonitor.ts";

/** @param entry the script `integrityCheck` */
export function checkLauncher(entry: string): LaunchCheck {
  return (storeFile) =>
    new Promise((resolve, reject) => {
      // A group of its own: Ctrl+C ends the command alone.
      const child = spawn(process.execPath, [entry, storeFile], { detached: true, stdio: "ignore", windowsHide: true });
      child.once("error", reject);
      child.once("exit", () => resolve());
      child.unref();
    });
}
