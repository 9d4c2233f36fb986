/** Runs the command line from its sources in a separate process. */
import { spawn } from "node:child_process";
import { processFile } from "./processes.ts";

const entry = processFile("headless");

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * @param store folder of the store
 * @param onOutput called with all standard output so far; `interrupt` signals the process group
 */
export function runCommand(store: string, args: readonly string[], onOutput?: (stdout: string, interrupt: (signal?: NodeJS.Signals) => void, closeOutput: () => void) => void, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], {
      // Neither the account's own configuration nor the time that steps take changes what is printed.
      env: { ...process.env, HYPERTOWER_CONFIG: `${store}-config.json`, HYPERTOWER_STEP_EVENTS: "none", ...env, HYPERTOWER_HOME: store },
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group, which is interrupted as a terminal would do.
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      onOutput?.(stdout, (signal = "SIGINT") => process.kill(-child.pid!, signal), () => child.stdout.destroy());
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

export const jsonLines = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);

/** Arguments with which `train` ends within a second. */
export const tiny = ["--set", "dataset.trainExamples=640", "--set", "dataset.testExamples=200", "--set", "batchSize=64", "--set", "model.hidden=[8]"];
