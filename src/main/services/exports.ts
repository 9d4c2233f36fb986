/** Exports runs: as a stream for the command line, as one text of limited size for a window. */
import type { RequestOutput } from "../../shared/contract.ts";
import type { ExportFormatName } from "../../shared/exports.ts";
import type { RunDetail } from "../../shared/run.ts";
import { exportRun } from "../reports/index.ts";
import type { Store } from "../store/store.ts";
import { UserError, type TextFile } from "./services.ts";
import { userError } from "./userErrors.ts";

/** Maximum number of characters sent to a window: about 80,000 steps of a run with five columns. */
export const maxWindowText = 8 * 1024 * 1024;

export interface Exporter {
  /** @throws UserError when the run cannot be exported in this form */
  file(run: string, format: ExportFormatName): TextFile;
  /** The whole file as one text. @throws UserError when it is too long, naming the command that writes it */
  text(run: string, format: ExportFormatName): RequestOutput<"runs.export">;
}

export function exporter(get: (id: string) => RunDetail, store: Pick<Store, "readSteps">, maxText = maxWindowText): Exporter {
  const file = (id: string, format: ExportFormatName): TextFile => {
    try {
      return exportRun(get(id), store.readSteps(id), format);
    } catch (error) {
      throw userError(error);
    }
  };
  return {
    file,
    text(id, format) {
      const { filename, mediaType, pieces } = file(id, format);
      const texts: string[] = [];
      let length = 0;
      for (const piece of pieces) {
        texts.push(piece);
        length += piece.length;
        if (length <= maxText) continue;
        throw new UserError(
          `This file would be longer than ${Math.round(maxText / 2 ** 20)} MiB, too long for a window. Write it from the command line: hypertower export ${id} --format ${format} --out ${filename}`,
        );
      }
      return { filename, mediaType, text: texts.join("") };
    },
  };
}
