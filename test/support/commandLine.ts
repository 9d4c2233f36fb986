/** The command line as people run it: the source entry in a process of its own. */
import { spawn } from "node:child_process";
import { join } from "node:path";

const entry = join(import.meta.dirname, "../../src/main/headless/index.ts");

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * @param store folder of the store
 * @param onOutput sees standard output as it grows
 */
export function runCommand(store: string, args: readonly string[], onOutput?: (stdout: string, interrupt: (signal?: NodeJS.Signals) => void) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], {
      env: { ...process.env, HYPERTOWER_HOME: store },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, to be interrupted whole, as a terminal does.
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      onOutput?.(stdout, (signal = "SIGINT") => process.kill(-child.pid!, signal));
    });
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

export const jsonLines = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);

/** Arguments of `train` that end it within a second. */
export const tiny = ["--set", "dataset.trainExamples=640", "--set", "dataset.testExamples=200", "--set", "batchSize=64", "--set", "model.hidden=[8]"];
