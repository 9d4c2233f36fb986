/** Rows of `studies`. */
import type { Database } from "better-sqlite3";
import { z } from "zod";
import { studyStatus } from "../../shared/study/result.ts";
import { study } from "../../shared/study/study.ts";
import { firstSealedStudyColumns, sealedStudyColumns } from "./checksums.ts";
import { StoreError } from "./errors.ts";
import { json } from "./runRows.ts";
import { knowsTags, storedTags, tagsOf } from "./tagRows.ts";
import { trainedColumns, trainedParameters, withTrained } from "./trainedRows.ts";

export const storedStudy = z
  .object({
    id: z.string(),
    name: z.string(),
    status: studyStatus,
    reason: z.string().nullable(),
    study: json(study),
    createdAt: z.number(),
    startedAt: z.number().nullable(),
    finishedAt: z.number().nullable(),
    deletedAt: z.number().nullable(),
    /** Total number of runs, and of runs trained at the same time. */
    total: z.number(),
    workers: z.number(),
    ...trainedColumns.shape,
    runningSince: z.number().nullable(),
    tags: z.string().nullable().default(null),
  })
  .transform(({ tags, ...row }) => ({ ...row, ...tagsOf(tags) }))
  .transform(withTrained);
export type StoredStudy = z.infer<typeof storedStudy>;

const columnsBeforeTags = `id, name, status, reason, definition AS study, created_at AS createdAt, started_at AS startedAt,
  finished_at AS finishedAt, deleted_at AS deletedAt, total, workers, trained_ms AS trainedMs, trained_from AS trainedFrom,
  running_since AS runningSince`;
export const studyColumns = `${columnsBeforeTags}, tags`;

/** `studyColumns` of a store that may have an earlier layout. */
export const studyColumnsOf = (db: Database): string => (knowsTags(db) ? studyColumns : columnsBeforeTags);

/** Columns under a study's checksum, in a store that may have an earlier layout. */
export const sealedStudyColumnsOf = (db: Database): readonly string[] => (knowsTags(db) ? sealedStudyColumns : firstSealedStudyColumns);

/** @throws StoreError when the study is there but cannot be read */
export function readStudy(db: Database, path: string, id: string): StoredStudy | undefined {
  const row = db.prepare(`SELECT ${studyColumns} FROM studies WHERE id = ?`).get(id);
  if (row === undefined) return undefined;
  const parsed = storedStudy.safeParse(row);
  if (!parsed.success) throw unreadableStudy(path, row, parsed.error);
  return parsed.data;
}

export function unreadableStudy(path: string, row: unknown, error: z.ZodError): StoreError {
  const { id } = row as { id?: unknown };
  return new StoreError(path, `Study ${String(id)} in ${path} cannot be read: ${z.prettifyError(error)}`, { cause: error });
}

interface StudyOwner {
  readonly ownerPid: number | null;
  readonly ownerHost: string | null;
  readonly ownerToken: string | null;
  readonly now: number | null;
}

/** Call within a transaction. */
export function insertStudy(db: Database, study: StoredStudy, owner: StudyOwner): void {
  db.prepare(
    `INSERT INTO studies (id, name, status, reason, created_at, started_at, finished_at, deleted_at, trained_ms, trained_from, running_since, total, workers, definition,
       owner_pid, owner_host, owner_token, heartbeat_at, lease, tags)
     VALUES (@id, @name, @status, @reason, @createdAt, @startedAt, @finishedAt, @deletedAt, @trainedMs, @trainedFrom, @runningSince, @total, @workers, @definition,
       @ownerPid, @ownerHost, @ownerToken, @now, 1, @tags)`,
  ).run({ ...study, ...trainedParameters(study), definition: JSON.stringify(study.study), tags: storedTags(study.tags), ...owner });
}
