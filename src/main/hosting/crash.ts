/** How a trainer went without a word of its own. */
import type { TrainerExit } from "./process.ts";

const fatalSignals = new Set(["SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

/**
 * Whether native code brought a process down. SIGKILL comes from outside: a person, or a system out of memory.
 * A shell's or Electron's exit codes say 128 + signal, Windows' begin at 0xC0000000.
 */
export function isCrash({ code, signal }: Pick<TrainerExit, "code" | "signal">): boolean {
  if (signal !== null) return fatalSignals.has(signal);
  return code !== null && ([132, 133, 134, 135, 136, 139].includes(code) || code >>> 0 >= 0xc000_0000);
}

/** Whether there never was a process. */
export function isUnlaunched({ code, signal }: Pick<TrainerExit, "code" | "signal">): boolean {
  return code === null && signal === null;
}

export function crashInWords({ code, signal, stderr }: TrainerExit): string {
  const how = signal !== null ? `it ended its process with ${signal}` : `its process exited with code ${code ?? "unknown"}`;
  // Node writes stacks after what native code said.
  const said = stderr.split(/^-+ (?:Native|JavaScript) stack trace/m)[0]!.trim();
  const last = said.split("\n").at(-1)!;
  return last === "" ? how : `${how}: ${last}`;
}

/** Describes an exit that was not expected, as a sentence. */
export function exitInWords({ code, signal, stderr }: TrainerExit): string {
  if (isUnlaunched({ code, signal })) return `The trainer process could not be started: ${stderr}`;
  const killed = signal === "SIGKILL" ? " (as systems do when memory runs out)" : "";
  const how = signal !== null ? `was ended by ${signal}${killed}` : `exited with code ${code}`;
  return `The trainer process ${how}${stderr === "" ? "." : `; its last output:\n${stderr}`}`;
}
