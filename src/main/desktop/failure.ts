/** Shows failures that end the app. */
import { dialog } from "electron";
import { messageOf } from "../../shared/errors.ts";
import { record } from "../logs/hostLog.ts";
import { UserError } from "../services/services.ts";

/** Shows the failure in a native dialog and writes it to standard error. */
export function showFailure(title: string, error: unknown): void {
  const message = messageOf(error);
  console.error(`${title}: ${message}`);
  record("error", title, { error });
  if (error instanceof Error && !(error instanceof UserError)) console.error(error.stack);
  dialog.showErrorBox(title, message);
}
