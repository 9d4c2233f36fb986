/** Starts integrity checks as Electron utility processes. They end with the app: a check cut short is made at the next start. */
import { utilityProcess } from "electron";
import type { LaunchCheck } from "../services/services.ts";

/** `entry` is the built `integrityCheck`. To be used when the app is ready. */
export function checkLauncher(entry: string): LaunchCheck {
  return (storeFile) =>
    new Promise((resolve) => {
      utilityProcess.fork(entry, [storeFile], { serviceName: "Hypertower store check", stdio: "ignore" }).once("exit", () => resolve());
    });
}
