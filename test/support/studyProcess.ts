/** Runs `hypertower study` in its own process group, so that a test can kill it with all its trainers. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { StudyPoint } from "../../src/shared/study/result.ts";
import { processFile } from "./processes.ts";

const entry = processFile("headless");

export interface StudyProcess {
  /** JSON objects written so far, one per line. */
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the exit code; null when the process was killed. */
  readonly ended: Promise<number | null>;
  /** Kills the command and every trainer by SIGKILL. */
  kill(): void;
}

/** @param onLine called with every object as it is written */
export function startStudy(store: string, args: readonly string[], onLine: (line: Record<string, unknown>) => void = () => undefined): StudyProcess {
  const child = spawn(process.execPath, [entry, "study", ...args, "--json"], {
    env: { ...process.env, HYPERTOWER_HOME: store },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    onLine(line);
  });
  return {
    lines,
    ended: new Promise((resolve) => child.on("close", resolve)),
    kill: () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    },
  };
}

/** The study's last line, which has all its points. */
export function finalPoints({ lines }: Pick<StudyProcess, "lines">): StudyPoint[] {
  const last = lines.at(-1);
  if (last?.["type"] !== "finished") throw new Error(`the study did not finish: ${JSON.stringify({ ...last, points: undefined })}`);
  return last["points"] as StudyPoint[];
}

/** Everything that must not depend on interruptions of a study: all numbers of all runs, without ids and times. */
export function numbersOf(points: readonly StudyPoint[]) {
  return points.map(({ key, status, reason, steps, totalSteps, hyperparameters, evaluations }) => ({ key, status, reason, steps, totalSteps, hyperparameters, evaluations }));
}
