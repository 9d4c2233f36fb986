/** The part of an experiment that determines its speed. */
import type { Experiment } from "../../shared/experiment.ts";

/** Everything that shapes an experiment's program, not the values it works on. */
export function programOf({ dataset, model, batchSize, engine, tower }: Experiment, kind: string = engine.kind): string {
  const shape = JSON.stringify(tower, (key, value: unknown) => (typeof value === "number" && key !== "lookahead" ? Math.sign(value) : value));
  return JSON.stringify([dataset, model, batchSize, kind, shape]);
}
