/** Starts tasks on the store's file as Electron utility processes. They end with the app; the next start repeats them. */
import { utilityProcess } from "electron";
import { resultOf, type LaunchTask } from "../services/services.ts";

/** Milliseconds to wait for the result of a process that has ended: Electron does not order its last message before its end. */
const drain = 1_000;

/** @param entry path of the built `storeTask`. Call after the app is ready. */
export function taskLauncher(entry: string): LaunchTask {
  return (task) =>
    new Promise((resolve) => {
      const child = utilityProcess.fork(entry, [JSON.stringify(task)], { serviceName: "Hypertower store task", stdio: "ignore" });
      let output = "";
      let ended = false;
      child.on("message", (message) => {
        output = String(message);
        if (ended) resolve(resultOf(output));
        // Its port to the app keeps the process alive.
        else child.kill();
      });
      child.once("exit", () => {
        ended = true;
        if (output !== "") resolve(resultOf(output));
        else setTimeout(() => resolve(resultOf(output)), drain).unref();
      });
    });
}
