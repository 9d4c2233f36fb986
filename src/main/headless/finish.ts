/** Runs a command: its exit code, and its error for people and programs. */
import { exitCodes } from "./exitCodes.ts";
import { reportError } from "./quiet.ts";

/** Awaits a command and sets its exit code; prints an error and sets exit code 1. */
export async function finish(command: Promise<number>, json = false): Promise<void> {
  try {
    process.exitCode = await command;
  } catch (error) {
    const { errorLines, recordFailure } = await import("./session.ts");
    recordFailure(error);
    const [first, ...rest] = errorLines(error);
    reportError([`hypertower: ${first ?? "unknown error"}`, ...rest].join("\n"));
    if (json) console.log(JSON.stringify({ event: "error", type: "error", message: [first, ...rest].join("\n") }));
    process.exitCode = exitCodes.error;
  }
}
