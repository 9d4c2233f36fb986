/** Ends the process from a thread that a busy main thread or native code cannot hold up. */
import { writeSync } from "node:fs";
import { memoryWords } from "./messages.ts";

/** Milliseconds between two looks: memory grows by about a gigabyte a second. */
const every = 50;

/** @param limit resident bytes; @param parent process id of the host, which is another one when the host has ended */
export function watchMemory({ limit, parent }: { readonly limit: number; readonly parent: number }): void {
  setInterval(() => {
    if (process.memoryUsage.rss() > limit) writeSync(2, `${memoryWords}\n`);
    else if (process.ppid === parent) return;
    process.kill(process.pid, "SIGKILL");
  }, every);
}
