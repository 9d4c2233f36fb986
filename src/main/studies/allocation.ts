/** Workers, threads and cohort size of a study: as asked for, or measured. */
import type { StudyCell } from "../../shared/study/expand.ts";
import type { CohortChoice, Study } from "../../shared/study/study.ts";
import type { Allocation } from "../hosting/calibration.ts";
import type { Machine } from "../hosting/machine.ts";
import { usableStudy } from "./definition.ts";

interface Asked {
  /** Null: measured. */
  readonly workers: number | null;
  /** Undefined: as the study says. */
  readonly cohort: CohortChoice | undefined;
}

export async function allocate({ calibration }: Pick<Machine, "calibration">, study: Study, cells: readonly StudyCell[], { workers, cohort: asked }: Asked): Promise<Allocation> {
  const { study: wanted } = usableStudy({ ...study, cohort: asked ?? study.cohort });
  const cohort = wanted.halving ? 1 : wanted.cohort;
  if (workers === null) return calibration.choose(cells, cohort);
  // A given number of workers needs no measurement.
  return { workers, threads: cells[0]!.experiment.engine.threads, cohort: cohort === "auto" ? 1 : cohort };
}
