/** Retries what a shared place refuses at present: full, unreachable, restarting. */
import { messageOf } from "../../../shared/errors.ts";
import { FleetError } from "../fleet.ts";

export interface BackoffOptions {
  /** Milliseconds before the first retry; doubled up to `longest`. */
  readonly first?: number;
  readonly longest?: number;
  readonly signal: AbortSignal;
  /** The first failure in a row, then null once it works again. */
  readonly onProblem?: ((problem: string | null) => void) | undefined;
}

/**
 * Repeats `work` until it succeeds.
 * @throws FleetError that says it will not work later either; the signal's reason once it is aborted
 */
export async function untilDone<T>(work: () => Promise<T>, { first = 250, longest = 15_000, signal, onProblem }: BackoffOptions): Promise<T> {
  for (let wait = first, failed = false; ; wait = Math.min(longest, 2 * wait)) {
    signal.throwIfAborted();
    try {
      const result = await work();
      if (failed) onProblem?.(null);
      return result;
    } catch (error) {
      if (signal.aborted || (error instanceof FleetError && !error.retry)) throw error;
      if (!failed) onProblem?.(messageOf(error));
      failed = true;
    }
    // Workers that lost the same place do not return to it in the same moment.
    await pause(wait * (0.75 + Math.random() / 2), signal);
  }
}

/** Resolves after so many milliseconds, or when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
