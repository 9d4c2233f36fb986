/** What the form's number fields accept, and how their arrow keys step: read from the schemas. */
import type { z } from "zod";
import { experiment } from "@shared/experiment.ts";
import { fieldAt, rangeOf, type NumberRange } from "@shared/schemaFields.ts";
import { studyRequests } from "@shared/study/requests.ts";
import { study } from "@shared/study/study.ts";
import type { StepKind } from "./numbers.ts";

/** Props of a number field. */
export interface FieldLimits {
  readonly step: StepKind;
  readonly domain: NumberRange;
}

function stepOf({ whole, max, maxExclusive }: NumberRange): StepKind {
  if (whole) return "whole";
  return max < 1 || (max === 1 && maxExclusive) ? "share" : "decades";
}

export function limitsOf(schema: z.core.$ZodType): FieldLimits {
  const domain = rangeOf(schema);
  return { step: stepOf(domain), domain };
}

/** @param path dotted, e.g. `budget.epochs` */
export const limitsAt = (schema: z.core.$ZodType, path: string): FieldLimits => limitsOf(fieldAt(schema, path));
export const experimentLimits = (path: string): FieldLimits => limitsAt(experiment, path);
/** Of runs trained at the same time. */
export const workerLimits = limitsAt(studyRequests["studies.start"].input, "workers");
export const studyLimits = (path: string): FieldLimits => limitsAt(study, path);

/** Props of Element Plus' number input. */
export function inputLimits(schema: z.core.$ZodType, path: string): { min: number; max: number } {
  const { min, max } = limitsAt(schema, path).domain;
  return { min, max };
}
