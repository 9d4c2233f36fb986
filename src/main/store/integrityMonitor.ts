/** Has the store's file checked after an unclean end and once a day, by a process that nobody waits for. */
import { messageOf } from "../../shared/errors.ts";
import { isLocked } from "./hostLock.ts";
import { checkLockOf, damageMessage, isCheckDue, readIntegrity } from "./integrity.ts";
import type { Log } from "./log.ts";

/** Starts `integrityCheck` on a file; resolves when the process has ended. It must not keep this process from ending. */
export type LaunchCheck = (storeFile: string) => Promise<void>;

export interface IntegrityMonitorOptions {
  readonly path: string;
  readonly log: Log;
  readonly launch: LaunchCheck;
  /** The file is damaged: what to tell a person. Called once. */
  readonly onDamage: (message: string) => void;
  /** Milliseconds between two looks at whether a check is due. */
  readonly pollEvery?: number;
}

export class IntegrityMonitor {
  readonly #options: IntegrityMonitorOptions;
  readonly #timer: NodeJS.Timeout;
  #checking = false;
  #damage: string | null = null;

  constructor(options: IntegrityMonitorOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.poll(), options.pollEvery ?? 60_000);
    this.#timer.unref();
    void this.poll();
  }

  /** What to tell a person about a damaged file; null while nothing is known of any damage. */
  get damage(): string | null {
    return this.#damage;
  }

  /** Starts a check where one is due and none is running. Resolves when the check, if any, has ended. */
  async poll(): Promise<void> {
    const { path, launch, log, onDamage } = this.#options;
    if (this.#checking || this.#damage !== null) return;
    this.#checking = true;
    try {
      if (isCheckDue(readIntegrity(path), Date.now()) && !isLocked(checkLockOf(path))) await launch(path);
      // The check may have been another host's.
      const problem = readIntegrity(path)?.problem ?? null;
      if (problem === null) return;
      this.#damage = damageMessage(path, problem);
      log.warn(this.#damage);
      onDamage(this.#damage);
    } catch (error) {
      log.warn(`store: the integrity of ${path} could not be checked: ${messageOf(error)}`);
    } finally {
      this.#checking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
