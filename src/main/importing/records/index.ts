/** Reads recorded runs, once or while they grow. */
import { setTimeout as delay } from "node:timers/promises";
import type { TableColumns } from "../../../shared/importedRun.ts";
import { Discovery } from "./discover.ts";
import { RecordError, type RecordPart } from "./draft.ts";

export type { RecordPart };

export interface RecordsOrder {
  /** Absolute paths of files and folders. */
  readonly paths: readonly string[];
  readonly columns: TableColumns;
  /** Goes on reading what is appended, until it is stopped. */
  readonly watch: boolean;
  /** Milliseconds between two looks at watched files. */
  readonly every?: number;
}

/** A part of a run, or the end of a round of reading with its warnings. */
export type RecordsNews = { readonly part: RecordPart } | { readonly warnings: readonly string[] };

export interface RecordsOptions {
  readonly onNews: (news: RecordsNews) => void;
  readonly onProgress?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const lookEvery = 1_000;

/** @throws RecordError naming the file when a path is nothing to import, or nothing of it could be read */
export async function readRecords({ paths, columns, watch, every = lookEvery }: RecordsOrder, { onNews, onProgress = () => undefined, signal }: RecordsOptions): Promise<void> {
  let warnings: string[] = [];
  const discoveries = paths.map((path) => new Discovery(path, { columns, warn: (warning) => warnings.push(warning), onProgress }));
  for (let round = 0; ; round++) {
    let found = 0;
    for (const discovery of discoveries) {
      try {
        await discovery.look();
      } catch (error) {
        // A folder that is being moved or emptied does not end the watch.
        if (round === 0) throw error;
      }
      for (const source of discovery.sources.values()) {
        if (signal?.aborted) return;
        await source.read(!watch);
        for (const draft of source.drafts) {
          if (draft.points > 0) found++;
          if (draft.hasNews) onNews({ part: draft.take() });
        }
      }
    }
    if (round === 0 && found === 0 && !watch) throw new RecordError(warnings[0] ?? `${paths.join(", ")}: no numbers are recorded there`);
    if (round === 0 && found === 0 && warnings.length > 0) throw new RecordError(warnings[0]!);
    onNews({ warnings });
    warnings = [];
    onProgress();
    if (!watch) return;
    try {
      await delay(every, undefined, signal ? { signal } : {});
    } catch {
      return;
    }
  }
}
