/** Tracks a store that cannot be written: when to report it and when to retry. */
import { isBusy } from "./errors.ts";

export interface WriteOutageOptions {
  /** Milliseconds that another process may lock the store before that is reported. */
  readonly busyGrace: number;
  /** Called once per outage. */
  readonly onFailure: (error: unknown) => void;
  /** Called when the store can be written again after `onFailure`. */
  readonly onRecovery: () => void;
}

/** Pending values from which a lock is reported without waiting for the grace: they are in memory. */
const maxPendingValues = 1_000_000;

export class WriteOutage {
  readonly #options: WriteOutageOptions;
  /** Time of the first failed write (performance.now()); undefined while the store can be written. */
  #since: number | undefined;
  #reported = false;

  constructor(options: WriteOutageOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#since !== undefined;
  }

  /** Notes a failed write. Returns the milliseconds until the next try. */
  failed(error: unknown, explained: unknown, pendingValues: number): number {
    this.#since ??= performance.now();
    const busy = isBusy(error);
    const isDue = !busy || pendingValues > maxPendingValues || performance.now() - this.#since >= this.#options.busyGrace;
    if (isDue && !this.#reported) {
      this.#reported = true;
      this.#options.onFailure(explained);
    }
    return busy ? 100 : 1_000;
  }

  /** Notes a successful write. */
  ended(): void {
    this.#since = undefined;
    if (!this.#reported) return;
    this.#reported = false;
    this.#options.onRecovery();
  }
}
