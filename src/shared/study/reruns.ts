/** Determines the experiment of a cell: its own or, for a rerun, one derived from another cell's run. */
import type { Experiment } from "../experiment.ts";
import { plainAtLearnedValues } from "../rerun.ts";
import type { RunSummary } from "../run.ts";
import type { StudyCell } from "./expand.ts";
import type { StudyPoint } from "./result.ts";

/** Known state of the run that a rerun follows. */
export interface SourceRun {
  readonly status: StudyPoint["status"];
  readonly hyperparameters: RunSummary["hyperparameters"];
}

/** `waiting`: the source run has no result yet; `impossible`: it learned no values that a plain optimizer can start from. */
export type CellStart = { readonly kind: "ready"; readonly experiment: Experiment } | { readonly kind: "waiting" } | { readonly kind: "impossible"; readonly reason: string };

/** @param run latest run of the cell's source; undefined while there is none */
export function startOf({ experiment, source }: StudyCell, run: SourceRun | undefined): CellStart {
  if (!source) return { kind: "ready", experiment };
  if (run?.status === "diverged") return { kind: "impossible", reason: "The run to follow diverged; there are no learned values to start from." };
  if (run?.status !== "finished") return { kind: "waiting" };
  const found = plainAtLearnedValues({ name: source.experiment.name, status: "finished", experiment: source.experiment, hyperparameters: run.hyperparameters });
  return "impossible" in found ? { kind: "impossible", reason: found.impossible } : { kind: "ready", experiment: { ...found.experiment, name: experiment.name } };
}
