/** What reads the runs of one file or folder. */
import type { TableColumns } from "../../../shared/importedRun.ts";
import type { RunDraft } from "./draft.ts";

export interface SourceOptions {
  readonly columns: TableColumns;
  readonly warn: (warning: string) => void;
  readonly onProgress: () => void;
}

export interface RecordSource {
  readonly drafts: Iterable<RunDraft>;
  /**
   * Reads what was added since the last call. A problem of the files is told to `warn` and ends reading there.
   * @param isLast nothing is read afterwards: what stands unfinished at the end of a file counts, where that can be
   */
  read(isLast: boolean): Promise<void>;
}
