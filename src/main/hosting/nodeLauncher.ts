/** Starts helper processes as Node child processes, for the command line and tests. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { HelperExit, HelperOptions, LaunchHelper } from "./process.ts";
import { OutputTail } from "./outputTail.ts";

/** Max wait for the last messages and output of an exited process, in milliseconds. */
const drainFor = 2_000;

/** @param entryFile the process's script; runs with this Node, without its command-line options */
export function nodeLauncher<To extends object = ToTrainer, From = FromTrainer>(entryFile: string | URL, { args = [], execArgv = [] }: HelperOptions = {}): LaunchHelper<To, From> {
  const file = entryFile instanceof URL ? fileURLToPath(entryFile) : entryFile;
  return async () => {
    const child = fork(file, args, {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [...execArgv],
    });
    const output = new OutputTail();
    child.stdout?.on("data", (chunk: Buffer) => output.add(chunk));
    child.stderr?.on("data", (chunk: Buffer) => output.add(chunk));

    const listeners = new Set<(exit: HelperExit) => void>();
    let exit: HelperExit | undefined;
    const ended = (code: number | null, signal: string | null) => {
      if (exit) return;
      exit = { code, signal, stderr: output.text() };
      for (const listener of listeners) listener(exit);
    };
    child.on("error", (error) => output.add(Buffer.from(`${error.message}\n`)));
    // Messages still in the channel arrive before "disconnect", output before "close"; "exit" may come before either.
    let waitingFor = 2;
    const drained = () => {
      if (--waitingFor === 0) ended(child.exitCode, child.signalCode);
    };
    child.once("disconnect", drained);
    child.once("close", drained);
    child.once("exit", (code, signal) => setTimeout(() => ended(code, signal), drainFor).unref());

    await new Promise((resolve, reject) => child.once("spawn", () => resolve(undefined)).once("error", reject));
    return {
      pid: child.pid,
      send: (message) => {
        // A send error is ignored: the exit reports that the process is gone.
        if (child.connected) child.send(message, () => undefined);
      },
      onMessage: (listener) => {
        const receive = (message: unknown) => listener(message as From);
        child.on("message", receive);
        return () => child.off("message", receive);
      },
      onExit: (listener) => {
        if (exit) queueMicrotask(() => exit && listener(exit));
        else listeners.add(listener);
        return () => listeners.delete(listener);
      },
      kill: () => child.kill("SIGKILL"),
    };
  };
}
