/** Launches helper processes (trainers, importers) as Electron utility processes. */
import { setTimeout as delay } from "node:timers/promises";
import { utilityProcess } from "electron";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import { OutputTail } from "../hosting/outputTail.ts";
import type { HelperExit, HelperOptions, HelperProcess, LaunchHelper } from "../hosting/process.ts";

/** Minimum and maximum milliseconds to wait for messages and output after a process has exited. */
const drain = { min: 100, max: 1_000 } as const;

/** @param entry path of the built entry. Call after the app is ready. */
export function utilityLauncher<To = ToTrainer, From = FromTrainer>(entry: string, serviceName: string, { args = [], execArgv = [] }: HelperOptions = {}): LaunchHelper<To, From> {
  return async (): Promise<HelperProcess<To, From>> => {
    const child = utilityProcess.fork(entry, [...args], { serviceName, execArgv: [...execArgv], stdio: ["ignore", "pipe", "pipe"] });
    const output = new OutputTail();
    const exitListeners = new Set<(exit: HelperExit) => void>();
    let exit: HelperExit | undefined;

    const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const read = (chunk: Buffer): void => output.add(chunk);
    for (const stream of streams) stream.on("data", read);

    child.on("error", (type, location) => output.add(Buffer.from(`${type} at ${location}\n`)));
    child.once("exit", (code) => {
      // Electron does not order the exit after the process's last messages. After this event it removes
      // all listeners of the streams, though output may still arrive.
      const drained = Promise.resolve().then(() => Promise.all(streams.map((stream) => ended(stream, read))));
      void Promise.all([Promise.race([drained, delay(drain.max)]), delay(drain.min)]).then(() => {
        exit = { code, signal: null, stderr: output.text() };
        for (const listener of exitListeners) listener(exit);
      });
    });

    await new Promise((resolve, reject) => {
      child.once("spawn", () => resolve(undefined));
      // No effect once the process has spawned.
      child.once("exit", (code) => reject(new Error(`it exited with code ${code} before it ran`)));
    });
    return {
      get pid() {
        return child.pid;
      },
      send: (message: To) => child.postMessage(message),
      onMessage(listener: (message: From) => void) {
        child.on("message", listener);
        return () => {
          child.off("message", listener);
        };
      },
      onExit(listener) {
        if (exit) queueMicrotask(() => exit && listener(exit));
        else exitListeners.add(listener);
        return () => {
          exitListeners.delete(listener);
        };
      },
      kill: () => {
        // child.kill() sends SIGTERM, which a process busy in native code may ignore.
        if (child.pid !== undefined) endProcess(child.pid);
      },
    };
  };
}

/** Reads the rest of a stream whose listeners were removed. */
function ended(stream: NodeJS.ReadableStream, read: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve) => {
    stream.off("data", read).on("data", read).once("end", resolve);
    if (!stream.readable) resolve();
  });
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    const gone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!gone) throw error;
  }
}
