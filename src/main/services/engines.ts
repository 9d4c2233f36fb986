/** The engines service, and the choice of an engine for experiments and studies with `"auto"`. */
import type { EngineKind, EngineReport } from "../../shared/engines.ts";
import { validateExperiment, type Experiment } from "../../shared/experiment.ts";
import { asNewStudy, validateStudy } from "../../shared/study/study.ts";
import type { EngineChoice } from "../hosting/engineChoice.ts";
import type { Machine } from "../hosting/machine.ts";
import { usableExperiment, type DatasetCatalog } from "./experiments.ts";

export class Engines {
  readonly #choice: EngineChoice;
  readonly #datasets: DatasetCatalog;

  constructor(machine: Pick<Machine, "engines">, datasets: DatasetCatalog) {
    this.#choice = machine.engines;
    this.#datasets = datasets;
  }

  /** Engines for an experiment's program; for an invalid experiment, those for the default program. */
  list(experiment: unknown): Promise<EngineReport> {
    const validation = validateExperiment(experiment ?? {});
    return this.#choice.report(validation.ok ? validation.experiment : undefined);
  }

  /** @throws UserError when the experiment is not valid or its data is missing */
  async calibrate(experiment: unknown): Promise<EngineReport> {
    return this.#choice.calibrate(await usableExperiment(experiment ?? {}, this.#datasets));
  }

  retry(kind: EngineKind, experiment: unknown): Promise<EngineReport> {
    const validation = validateExperiment(experiment ?? {});
    return this.#choice.retry(kind, validation.ok ? validation.experiment : undefined);
  }

  resolve(experiment: Experiment): Promise<{ readonly experiment: Experiment; readonly why: string }> {
    return this.#choice.resolve(experiment);
  }

  /**
   * Gives a study with engine `"auto"` one engine for all its runs. An invalid study, or one that names its
   * engine, is returned unchanged.
   * @param how `"measured"` measures if necessary; `"known"` uses what is known already
   * @returns `why`: the reason of the choice, stored with the runs; undefined for `"known"` and unchanged studies
   */
  async ofStudy(input: unknown, how: "measured" | "known"): Promise<{ readonly study: unknown; readonly why?: string }> {
    const validation = validateStudy(asNewStudy(input));
    if (!validation.ok || validation.study.base.engine.kind !== "auto") return { study: input };
    const { study } = validation;
    const on = ({ engine }: Experiment) => ({ ...study, base: { ...study.base, engine } });
    if (how === "known") return { study: on(await this.#choice.likely(study.base)) };
    const { experiment, why } = await this.#choice.resolve(study.base);
    return { study: on(experiment), why: `chosen for the whole study: ${why}` };
  }
}
