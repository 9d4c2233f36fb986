/** SQL of layout version 10: at most one run of a study's cell is trained at a time. */
export const claimLayout = `
-- Earlier versions could let several hosts train one cell. Of its runs that are marked as active, the latest stays so.
UPDATE runs SET status = 'interrupted', finished_at = coalesce(heartbeat_at, started_at, created_at), samples_per_second = NULL, seconds_left = NULL,
  reason = 'Another run of its cell was trained at the same time.'
WHERE study IS NOT NULL AND status IN ('queued', 'running', 'paused')
  AND EXISTS (SELECT 1 FROM runs AS later WHERE later.study = runs.study AND later.cell = runs.cell AND later.rowid > runs.rowid AND later.status IN ('queued', 'running', 'paused'));

CREATE UNIQUE INDEX runs_live_cell ON runs (study, cell) WHERE study IS NOT NULL AND status IN ('queued', 'running', 'paused');
`;
