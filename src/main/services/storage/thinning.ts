/** Thinning runs for a person: which can be thinned, what that frees, and doing it. */
import { dirname } from "node:path";
import { formatBytes, formatCount } from "../../../shared/format.ts";
import { isResumable, type Resumption } from "../../../shared/run.ts";
import type { ThinningPlan } from "../../../shared/storage.ts";
import { plural } from "../../../shared/text.ts";
import { keptFrom, keptWeight, type ThinWidth } from "../../../shared/thinning.ts";
import { damageText } from "../../../shared/verification.ts";
import { verifyStore } from "../../hosting/verify.ts";
import type { Inspection } from "../../store/inspection.ts";
import type { Store } from "../../store/store.ts";
import { UserError } from "../services.ts";
import { userError } from "../userErrors.ts";

export interface ThinningOptions {
  readonly store: Pick<Store, "path" | "thinner" | "getRun" | "flush">;
  readonly resumption: (run: string) => Promise<Resumption | null>;
  readonly inspect: () => Promise<Inspection>;
  readonly onThinned: (run: string) => void;
}

export class Thinning {
  readonly #options: ThinningOptions;

  constructor(options: ThinningOptions) {
    this.#options = options;
  }

  /** What thinning the runs would erase. @throws UserError when one of them cannot be thinned */
  async plan(runs: readonly string[], width: ThinWidth): Promise<ThinningPlan> {
    for (const run of runs) await this.#require(run, width);
    const { store, inspect } = this.#options;
    const { bytes, log, unused, runs: inspected } = await inspect();
    const total = inspected.reduce((sum, { values }) => sum + values, 0);
    const planned = runs.map((id) => {
      const { name, metrics } = store.getRun(id)!;
      const steps = store.thinner.logged(id);
      const values = metrics.length * Math.max(0, keptFrom(steps - 1, width) - 1);
      const own = inspected.find((run) => run.id === id)?.values ?? 0;
      const left = metrics.length * keptWeight(steps, width);
      return { run: id, name, steps, values, bytes: total === 0 ? 0 : Math.round(((bytes + log - unused) * Math.max(0, own - left)) / total) };
    });
    return { width, runs: planned, values: planned.reduce((sum, { values }) => sum + values, 0), bytes: planned.reduce((sum, one) => sum + one.bytes, 0) };
  }

  /** Thins the runs, which are checked first: their summaries must be true before their values go. @throws UserError; what was thinned before stays so */
  async thin(runs: readonly string[], width: ThinWidth): Promise<string> {
    const { store, onThinned } = this.#options;
    const { bytes } = await this.plan(runs, width);
    store.flush();
    const { findings } = await verifyStore(dirname(store.path), { runs });
    const damage = findings.filter(({ severity, part }) => severity === "damage" && part !== "checkpoint" && part !== "weights");
    if (damage.length > 0) throw new UserError(`Nothing was erased: ${plural(new Set(damage.map(({ run }) => run)).size, "run")} would be thinned but ${damage.length === 1 ? "is" : "are"} damaged. ${damageText(damage)} ${damage[0]!.advice}.`);
    let values = 0;
    for (const run of runs) {
      await this.#require(run, width);
      try {
        values += await store.thinner.thin(run, width);
      } catch (error) {
        throw userError(error);
      }
      onThinned(run);
    }
    return `Thinned ${plural(runs.length, "run")}: erased ${formatCount(values)} values (about ${formatBytes(bytes)}) for good; summaries of ${width} steps each are kept.`;
  }

  /** @throws UserError saying why a run cannot be thinned */
  async #require(run: string, width: ThinWidth): Promise<void> {
    const { store, resumption } = this.#options;
    const problem = store.thinner.problem(run, width);
    if (problem !== null) throw new UserError(`${problem} Nothing was erased.`);
    const { name, status } = store.getRun(run)!;
    if (!isResumable(status)) return;
    const where = await resumption(run);
    if (where?.problem !== null) return;
    throw new UserError(`Run ${name} (${run}) is ${status} and can still be resumed at step ${where.step}. Resume it, or erase its checkpoint first if it need not be resumed. Nothing was erased.`);
  }
}
