/** A request about a study that cannot be met, with a message for the user; `fields` are the errors of a definition. */
import type { FieldError } from "../../shared/experiment.ts";

export class StudyError extends Error {
  readonly fields: readonly FieldError[] | undefined;
  constructor(message: string, fields?: readonly FieldError[]) {
    super(message);
    this.name = "StudyError";
    this.fields = fields;
  }
}
