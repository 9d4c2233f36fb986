/** Starts trainers as Electron utility processes. */
import { utilityProcess } from "electron";
import type { FromTrainer, ToTrainer } from "../training/messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "../training/process.ts";

/** How much of the end of standard error is kept to explain a crash, in characters. */
const keptStderr = 8192;

export interface TrainerLauncher {
  readonly launch: LaunchTrainer;
  /** Trainers alive now. */
  count(): number;
}

/** `entry` is the built trainer. To be used when the app is ready. */
export function trainerLauncher(entry: string): TrainerLauncher {
  let alive = 0;

  function launch(): TrainerProcess {
    const child = utilityProcess.fork(entry, [], { serviceName: "Hypertower trainer", stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    let ended: TrainerExit | null = null;
    const exitListeners = new Set<(exit: TrainerExit) => void>();
    alive++;

    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      stderr = (stderr + text).slice(-keptStderr);
    });
    child.on("error", (type, location) => {
      stderr = `${stderr}\n${type} at ${location}`.slice(-keptStderr);
    });
    child.once("exit", (code) => {
      alive--;
      ended = { code, signal: null, stderr };
      for (const listener of exitListeners) listener(ended);
    });

    return {
      get pid() {
        return child.pid;
      },
      send: (message: ToTrainer) => child.postMessage(message),
      onMessage(listener: (message: FromTrainer) => void) {
        child.on("message", listener);
        return () => {
          child.off("message", listener);
        };
      },
      onExit(listener) {
        if (ended) queueMicrotask(() => ended && listener(ended));
        else exitListeners.add(listener);
        return () => {
          exitListeners.delete(listener);
        };
      },
      kill: () => {
        child.kill();
      },
    };
  }

  return { launch, count: () => alive };
}
