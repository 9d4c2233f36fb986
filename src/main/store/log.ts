/** Diagnostic log; by default that of this process: standard error, and files beside the store. */
import { hostLog } from "../logs/hostLog.ts";

export interface Log {
  warn(message: string): void;
  error(message: string, error: unknown): void;
}

export const consoleLog: Log = {
  warn: (message) => hostLog.warn(message),
  error: (message, error) => hostLog.error(message, error),
};

/** Runs `work` and logs a warning when it takes longer than `limit` milliseconds. */
export function measured<T>(log: Log, limit: number, what: string, work: () => T): T {
  const begin = performance.now();
  try {
    return work();
  } finally {
    const took = performance.now() - begin;
    if (took > limit) log.warn(`store: ${what} took ${took.toFixed(0)} ms`);
  }
}
