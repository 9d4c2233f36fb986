/** Statements that write runs, evaluations and events. */
import type { Database, Statement } from "better-sqlite3";
import { resumableStatuses } from "../../shared/run.ts";
import { rowLayout } from "./rowLayout.ts";
import { measureColumns, progressAssignments } from "./runRows.ts";

/** Lease number of a new run. */
export const firstLease = 1;

interface RunStatements {
  readonly create: Statement<[unknown]>;
  /** Whether a study is in the bin. */
  readonly inBin: Statement<[string]>;
  readonly holds: Statement<[string, string, number]>;
  readonly progress: Statement<[unknown]>;
  readonly requeue: Statement<[unknown], number>;
  readonly forgetEvaluation: Statement<[string, number]>;
  readonly environment: Statement<[string, string]>;
  readonly evaluation: Statement<EvaluationParameters>;
  readonly event: Statement<[string, number, number, string, string, number]>;
}

type EvaluationParameters = [string, number, number, number, ...(number | null)[]];

export function prepareRunStatements(db: Database): RunStatements {
  const measures = Object.values(measureColumns);
  const evaluation: Statement<EvaluationParameters> = db.prepare(
    `INSERT INTO evaluations (run, step, at, epoch, ${measures.join(", ")}, crc) VALUES (?, ?, ?, ?${", ?".repeat(measures.length)}, ?)
     ON CONFLICT (run, step) DO UPDATE SET ${["at", "epoch", ...measures, "crc"].map((name) => `${name} = excluded.${name}`).join(", ")}`,
  );
  return {
    create: db.prepare(
      `INSERT INTO runs (id, name, stack, seed, engine, experiment, created_at, status, reason, device, started_at,
         finished_at, trained_ms, trained_from, steps, total_steps, epoch, samples_per_second, seconds_left, loss, test_error, evaluation, hyperparameters,
         dataset, model, result_name, result, owner_pid, owner_host, owner_token, heartbeat_at, lease, study, cell, layout)
       VALUES (@id, @name, @stack, @seed, @engine, @experiment, @createdAt, @status, @reason, @device, @startedAt,
         @finishedAt, @trainedMs, @trainedFrom, @steps, @totalSteps, @epoch, @samplesPerSecond, @secondsLeft, @loss, @testError, @evaluation, @hyperparameters,
         @dataset, @model, @resultName, @result, @ownerPid, @ownerHost, @ownerToken, @heartbeatAt, ${firstLease}, @study, @cell, ${rowLayout})`,
    ),
    inBin: db.prepare<[string]>("SELECT 1 FROM studies WHERE id = ? AND deleted_at IS NOT NULL"),
    holds: db.prepare<[string, string, number]>("SELECT 1 FROM runs WHERE id = ? AND owner_token = ? AND lease = ?"),
    progress: db.prepare(`UPDATE runs SET ${progressAssignments}, heartbeat_at = @heartbeatAt WHERE id = @id`),
    requeue: db
      .prepare<[unknown], number>(
        `UPDATE runs SET ${progressAssignments}, owner_pid = @ownerPid, owner_host = @ownerHost, owner_token = @ownerToken,
           heartbeat_at = @heartbeatAt, lease = lease + 1
         WHERE id = @id AND deleted_at IS NULL AND thinned_at IS NULL AND (@seen IS NULL OR lease = @seen) AND status IN (${resumableStatuses.map((status) => `'${status}'`).join(", ")}) RETURNING lease`,
      )
      .pluck(),
    forgetEvaluation: db.prepare<[string, number]>("DELETE FROM evaluations WHERE run = ? AND step = ?"),
    environment: db.prepare<[string, string]>("UPDATE runs SET environment = ? WHERE id = ?"),
    evaluation,
    event: db.prepare<[string, number, number, string, string, number]>(
      "INSERT INTO run_events (run, at, step, kind, message, crc) VALUES (?, ?, ?, ?, ?, ?)",
    ),
  };
}
