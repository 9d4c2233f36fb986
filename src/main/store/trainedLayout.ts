/** SQL of layout version 8: training time of runs and studies, without the time between stop and resume. */
export const trainedLayout = `
ALTER TABLE runs ADD COLUMN trained_ms INTEGER;      -- milliseconds; NULL before the first start
ALTER TABLE runs ADD COLUMN trained_from TEXT        -- how it is known; NULL before the first start
  CHECK (trained_from IN ('clock', 'steps', 'span'));

-- A run that was never paused or resumed trained from its start to its end.
UPDATE runs SET trained_ms = max(0, finished_at - started_at), trained_from = 'clock'
WHERE started_at IS NOT NULL AND finished_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM run_events WHERE run = runs.id AND at >= started_at AND kind IN ('paused', 'resumed'));

-- Of others, the logged step times.
UPDATE runs SET trained_from = 'steps', trained_ms =
  (SELECT CAST(round(total(value)) AS INTEGER) FROM metrics JOIN series_values ON series_values.metric = metrics.id
   WHERE metrics.run = runs.id AND metrics.name = 'stepTime' AND value BETWEEN 0 AND 1e12)
WHERE trained_ms IS NULL AND started_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM metrics WHERE run = runs.id AND name = 'stepTime' AND count > 0);

-- Where there are none, it trained no longer than from its start to its end.
UPDATE runs SET trained_from = 'span', trained_ms = max(0, finished_at - started_at)
WHERE trained_ms IS NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL;

-- The same of studies. What is since running_since is added when a study stands still or ends.
ALTER TABLE studies ADD COLUMN trained_ms INTEGER;
ALTER TABLE studies ADD COLUMN trained_from TEXT CHECK (trained_from IN ('clock', 'span'));
ALTER TABLE studies ADD COLUMN running_since INTEGER;
UPDATE studies SET trained_from = 'span', trained_ms = max(0, finished_at - started_at)
WHERE started_at IS NOT NULL AND finished_at IS NOT NULL;
`;
