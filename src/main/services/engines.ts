/** Engines as the surfaces see them, and definitions that leave theirs open. */
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

  /** An experiment that is not valid has no program: the default one stands in. */
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
   * A study on a named engine: all its runs on the same one. What is not valid stays as it is.
   * `why` that engine, for the record of its runs; undefined where the study names it.
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
