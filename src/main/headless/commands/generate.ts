/** `hypertower generate RUN --prime TEXT`: continues a text with a character model. */
import type { KeptName } from "../../../shared/kept.ts";
import { textRequest } from "../../../shared/predictions.ts";
import { fieldErrors } from "../../../shared/experiment.ts";
import { UserError } from "../../services/services.ts";
import { findRun } from "../find.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface GenerateOptions {
  readonly prime: string;
  readonly length?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly checkpoint: KeptName;
  readonly store?: string;
  readonly json?: boolean;
}

export async function generateCommand(programFiles: ProgramFiles, wanted: string, { prime, length, temperature, seed, checkpoint, store, json }: GenerateOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(store), async (services) => {
    const request = textRequest.safeParse({ run: await findRun(services, wanted), prime, length, temperature, seed, checkpoint });
    if (!request.success) throw new UserError(fieldErrors(request.error).map(({ message }) => message).join("; "));
    const { kept, text } = await services.handlers["predictions.text"](request.data);
    console.log(json ? JSON.stringify({ type: "text", ...request.data, step: kept.evaluation.step, text }) : `${prime}${text}`);
    return exitCodes.ok;
  });
}
