/** Marks active runs whose host has ended. */
import type { Database } from "better-sqlite3";
import { ownerColumns, type IsGone, type LeaseOwner } from "./hosts.ts";

interface ActiveRow extends LeaseOwner {
  readonly id: string;
  readonly steps: number;
}

/** Marks runs of ended hosts as interrupted and keeps their steps. Call within a transaction. Returns their ids. @param machine this machine's name */
export function markInterruptedRuns(db: Database, machine: string, isGone: IsGone): string[] {
  const now = Date.now();
  const mark = db.prepare<[string, number, string]>(
    `UPDATE runs SET status = 'interrupted', reason = ?, finished_at = coalesce(heartbeat_at, ?),
       samples_per_second = NULL, seconds_left = NULL WHERE id = ?`,
  );
  const note = db.prepare<[string, number, number, string]>("INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, 'interrupted', ?)");
  const active = db.prepare<[], ActiveRow>(`SELECT id, steps, ${ownerColumns} FROM runs WHERE status IN ('queued', 'running', 'paused')`).all();
  return active.filter(isGone).map(({ id, steps, pid, host }) => {
    const isHere = host === machine || host === null;
    const reason = isHere ? `The process that trained it${pid === null ? "" : ` (pid ${pid})`} ended before the run did.` : `The machine that trained it (${host}) has not been heard of.`;
    mark.run(reason, now, id);
    note.run(id, now, steps, reason);
    return id;
  });
}
