/** Validates study definitions, fills in defaults and expands them into runs. */
import type { Experiment, FieldError } from "../../shared/experiment.ts";
import { expandStudy, type StudyCell } from "../../shared/study/expand.ts";
import { validateStudy, type Study } from "../../shared/study/study.ts";
import { StudyError } from "./errors.ts";

export type Definition = { readonly ok: true; readonly study: Study; readonly cells: readonly StudyCell[] } | { readonly ok: false; readonly errors: readonly FieldError[] };

/** A study with all its runs, or the errors of every wrong field. */
export function readDefinition(input: unknown): Definition {
  const validation = validateStudy(input);
  if (!validation.ok) return validation;
  const expansion = expandStudy(validation.study);
  return expansion.ok ? { ok: true, study: validation.study, cells: expansion.cells } : expansion;
}

/** @throws StudyError that names every wrong field */
export function usableStudy(input: unknown): { study: Study; cells: readonly StudyCell[] } {
  const definition = readDefinition(input);
  if (definition.ok) return definition;
  const messages = definition.errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  throw new StudyError(`The study is not valid: ${messages}.`, definition.errors);
}

/** Whether two experiments are equal except for their names. */
export function sameRun(a: Experiment, b: Experiment): boolean {
  const plain = ({ name: _name, ...rest }: Experiment) => JSON.stringify(rest);
  return plain(a) === plain(b);
}
