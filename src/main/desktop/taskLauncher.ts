/** Starts tasks on the store's file as Electron utility processes. They end with the app; the next start repeats them. */
import { utilityProcess } from "electron";
import { resultOf, type LaunchTask } from "../services/services.ts";

/** @param entry path of the built `storeTask`. Call after the app is ready. */
export function taskLauncher(entry: string): LaunchTask {
  return (task) =>
    new Promise((resolve) => {
      const child = utilityProcess.fork(entry, [JSON.stringify(task)], { serviceName: "Hypertower store task", stdio: "ignore" });
      let output = "";
      child.on("message", (message) => (output = String(message)));
      child.once("exit", () => resolve(resultOf(output)));
    });
}
