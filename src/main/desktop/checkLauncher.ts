/** Launches integrity checks as Electron utility processes. They end with the app; the next start repeats an interrupted check. */
import { utilityProcess } from "electron";
import type { LaunchCheck } from "../services/services.ts";

/** @param entry path of the built `integrityCheck`. Call after the app is ready. */
export function checkLauncher(entry: string): LaunchCheck {
  return (storeFile) =>
    new Promise((resolve) => {
      utilityProcess.fork(entry, [storeFile], { serviceName: "Hypertower store check", stdio: "ignore" }).once("exit", () => resolve());
    });
}
