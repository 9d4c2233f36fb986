/** A run as shown in lists. Its configuration, a few kilobytes, is read only when needed. */
import { z } from "zod";
import { engineChoices } from "./engines.ts";
import { recordFormats } from "./importedRun.ts";
import { metricNames, resultOf } from "./metrics.ts";
import { runSummary, type RunSummary } from "./run.ts";

export const listedRun = runSummary
  .pick({
    id: true,
    name: true,
    status: true,
    reason: true,
    stack: true,
    createdAt: true,
    startedAt: true,
    finishedAt: true,
    trained: true,
    deletedAt: true,
    steps: true,
    totalSteps: true,
    loss: true,
    study: true,
    tags: true,
    elsewhere: true,
  })
  .extend({
    seed: z.number(),
    /** Kinds, as named in the configuration. */
    engine: z.enum(engineChoices),
    dataset: z.string(),
    model: z.string(),
    /** Headline metric so far; null before the first evaluation. */
    result: z.object({ name: z.enum(metricNames), value: z.number().nullable() }),
    /** Format that an imported run was read from; missing for runs trained here. */
    imported: z.enum(recordFormats).optional(),
  });

export type ListedRun = z.infer<typeof listedRun>;

/** The part of a run that lists show. */
export function listedOf(run: RunSummary): ListedRun {
  const { id, name, status, reason, stack, createdAt, startedAt, finishedAt, trained, deletedAt, steps, totalSteps, loss, study, tags, experiment, imported } = run;
  return {
    id,
    name,
    status,
    reason,
    stack,
    createdAt,
    startedAt,
    finishedAt,
    trained,
    deletedAt,
    steps,
    totalSteps,
    loss,
    study,
    seed: experiment.seed,
    engine: experiment.engine.kind,
    dataset: imported ? "" : experiment.dataset.kind,
    model: imported ? "" : experiment.model.kind,
    result: resultOf(run),
    ...(tags && { tags }),
    ...(imported && { imported: imported.format }),
    ...(run.elsewhere && { elsewhere: true as const }),
  };
}
