/** What a person asked of a study and cannot have, in words; `fields` name what is wrong with a definition. */
import type { FieldError } from "../../shared/experiment.ts";

export class StudyError extends Error {
  readonly fields: readonly FieldError[] | undefined;
  constructor(message: string, fields?: readonly FieldError[]) {
    super(message);
    this.name = "StudyError";
    this.fields = fields;
  }
}
