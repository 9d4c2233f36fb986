/** Turns errors of the store, studies, engines and exports into UserErrors: a person can act on them. */
import type { Handlers } from "../../shared/contract.ts";
import { ArchiveError } from "../archives/errors.ts";
import { ExportError } from "../reports/index.ts";
import { ActiveError, StoreError } from "../store/errors.ts";
import { StudyError } from "../studies/errors.ts";
import { NoEngineError } from "../hosting/engineChoice.ts";
import { UserError } from "./services.ts";

export function userError(error: unknown): unknown {
  if (error instanceof StudyError) return new UserError(error.message, error.fields, { cause: error });
  return error instanceof NoEngineError || error instanceof StoreError || error instanceof ActiveError || error instanceof ExportError || error instanceof ArchiveError ? new UserError(error.message, undefined, { cause: error }) : error;
}

/** Runs `work` and turns its errors into UserErrors. */
export async function withUserError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw userError(error);
  }
}

export function withUserErrors(handlers: Handlers): Handlers {
  const wrapped = Object.entries(handlers).map(([name, handle]) => [
    name,
    (input: never) => withUserError(async () => await handle(input)),
  ]);
  return Object.fromEntries(wrapped) as Handlers;
}
