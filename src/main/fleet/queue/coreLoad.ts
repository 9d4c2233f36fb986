/** How busy the processor's cores are. */
import type { CpuInfo } from "node:os";

export class CoreLoad {
  readonly #cpus: () => CpuInfo[];
  #last: readonly [busy: number, whole: number] | undefined;

  constructor(cpus: () => CpuInfo[]) {
    this.#cpus = cpus;
    this.#last = this.#times();
  }

  /** Mean number of busy cores since the last call; null where the system does not tell. */
  busy(): number | null {
    const [before, now] = [this.#last, this.#times()];
    this.#last = now;
    if (!before || !now || now[1] <= before[1]) return null;
    return ((now[0] - before[0]) / (now[1] - before[1])) * this.#cpus().length;
  }

  #times(): readonly [number, number] | undefined {
    const all = this.#cpus().map(({ times }) => times);
    if (all.length === 0) return undefined;
    const whole = all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
    return [whole - all.reduce((sum, { idle }) => sum + idle, 0), whole];
  }
}
