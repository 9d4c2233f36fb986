/** Columns of `runs` and `studies` for their training time. */
import { z } from "zod";
import { trainedTime, type TrainedTime } from "../../shared/trainedTime.ts";

export const trainedColumns = z.object({ trainedMs: z.number().nullable(), trainedFrom: trainedTime.shape.from.nullable() });
export type TrainedColumns = z.infer<typeof trainedColumns>;

export function trainedOf({ trainedMs, trainedFrom }: TrainedColumns): TrainedTime | null {
  return trainedMs === null || trainedFrom === null ? null : { milliseconds: trainedMs, from: trainedFrom };
}

/** Replaces the two columns of a row by one field. */
export function withTrained<Row extends TrainedColumns>({ trainedMs, trainedFrom, ...row }: Row): Omit<Row, keyof TrainedColumns> & { trained: TrainedTime | null } {
  return { ...row, trained: trainedOf({ trainedMs, trainedFrom }) };
}

export function trainedParameters({ trained }: { readonly trained: TrainedTime | null }): TrainedColumns {
  return { trainedMs: trained?.milliseconds ?? null, trainedFrom: trained?.from ?? null };
}
