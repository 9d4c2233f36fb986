/** Describes unexpected exits of trainer processes. */
import type { TrainerExit } from "./process.ts";

const fatalSignals = new Set(["SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

/**
 * Whether native code crashed the process. SIGKILL is no crash: the user or the system's memory
 * manager sends it. Shells and Electron report 128 + signal, Windows codes from 0xC0000000.
 */
export function isCrash({ code, signal }: Pick<TrainerExit, "code" | "signal">): boolean {
  if (signal !== null) return fatalSignals.has(signal);
  return code !== null && ([132, 133, 134, 135, 136, 139].includes(code) || code >>> 0 >= 0xc000_0000);
}

/** Whether a terminal, scheduler or service manager asked the process to end. */
export const isRequestToEnd = ({ signal }: Pick<TrainerExit, "signal">): boolean => signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP";

/** Whether the process could not be launched. */
export function isUnlaunched({ code, signal }: Pick<TrainerExit, "code" | "signal">): boolean {
  return code === null && signal === null;
}

export function crashInWords({ code, signal, stderr }: TrainerExit): string {
  const how = signal !== null ? `it ended its process with ${signal}` : `its process exited with code ${code ?? "unknown"}`;
  // Node writes stack traces after the native code's output.
  const output = stderr.split(/^-+ (?:Native|JavaScript) stack trace/m)[0]!.trim();
  const last = output.split("\n").at(-1)!;
  return last === "" ? how : `${how}: ${last}`;
}

/** Describes an unexpected exit in a sentence. */
export function exitInWords({ code, signal, stderr }: TrainerExit): string {
  if (isUnlaunched({ code, signal })) return `The trainer process could not be started: ${stderr}`;
  const killed = signal === "SIGKILL" ? " (as systems do when memory runs out)" : "";
  const how = signal !== null ? `was ended by ${signal}${killed}` : `exited with code ${code}`;
  return `The trainer process ${how}${stderr === "" ? "." : `; its last output:\n${stderr}`}`;
}
