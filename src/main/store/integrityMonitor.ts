/** Has the store's file checked in the background, after an unclean end and once a day. */
import { messageOf } from "../../shared/errors.ts";
import { isLocked } from "./hostLock.ts";
import { checkLockOf, damageMessage, isCheckDue, readIntegrity } from "./integrity.ts";
import type { Log } from "./log.ts";

/** Starts `integrityCheck` on a file; resolves when that process has ended. Must not keep this process alive. */
export type LaunchCheck = (storeFile: string) => Promise<void>;

export interface IntegrityMonitorOptions {
  readonly path: string;
  readonly log: Log;
  readonly launch: LaunchCheck;
  /** Called once with a message to the user when the file is damaged. */
  readonly onDamage: (message: string) => void;
  /** Milliseconds between polls for a due check. */
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

  /** Message to the user about a damaged file; null while no damage is known. */
  get damage(): string | null {
    return this.#damage;
  }

  /** Starts a check if one is due and none is running. Resolves when it has ended. */
  async poll(): Promise<void> {
    const { path, launch, log, onDamage } = this.#options;
    if (this.#checking || this.#damage !== null) return;
    this.#checking = true;
    try {
      if (isCheckDue(readIntegrity(path), Date.now()) && !isLocked(checkLockOf(path))) {
        await launch(path);
        this.#noteBrokenOff();
      }
      // Another host may have done the check.
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

  #noteBrokenOff(): void {
    const { path, log } = this.#options;
    if (readIntegrity(path)?.begunAt === undefined) return;
    log.warn(`store: the check of ${path} was broken off: runs logged so much meanwhile, or its process was ended. It is tried again in an hour; "hypertower verify" checks at any time.`);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
