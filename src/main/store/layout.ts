/** SQL of layout version 1. The view `series` is for readers with the sqlite3 shell. */

/** "HYPT": marks a SQLite file as a Hypertower store. */
export const applicationId = 0x48595054;

export const initialLayout = `
PRAGMA application_id = ${applicationId};

-- One experiment trained once. Times are milliseconds since 1970, UTC.
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN
    ('queued', 'running', 'paused', 'finished', 'stopped', 'diverged', 'failed', 'interrupted')),
  reason TEXT,
  stack TEXT NOT NULL,                    -- the tower in the paper's notation
  seed INTEGER NOT NULL,
  engine TEXT NOT NULL,
  device TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  deleted_at INTEGER,                     -- in the bin since; nothing is erased
  steps INTEGER NOT NULL DEFAULT 0,       -- steps logged
  total_steps INTEGER NOT NULL,
  epoch REAL NOT NULL DEFAULT 0,
  samples_per_second REAL,
  seconds_left REAL,
  loss REAL,                              -- of the latest step; NULL when not finite
  test_error REAL,                        -- of the latest evaluation, percent
  owner_pid INTEGER,                      -- process that trains it, while active
  owner_host TEXT,
  owner_token TEXT,
  heartbeat_at INTEGER,
  hyperparameters TEXT NOT NULL CHECK (json_valid(hyperparameters)),
  environment TEXT CHECK (json_valid(environment)),
  experiment TEXT NOT NULL CHECK (json_valid(experiment))
) STRICT;
CREATE INDEX runs_by_creation ON runs (created_at);
CREATE INDEX runs_active ON runs (status) WHERE status IN ('queued', 'running', 'paused');

-- The logged series of a run: 'loss', 'stepTime', 'L0.alpha', 'L0.alpha.hypergradient', ...
CREATE TABLE metrics (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id),
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  count INTEGER NOT NULL DEFAULT 0,       -- values stored
  last_step INTEGER NOT NULL DEFAULT -1,
  UNIQUE (run, name)
) STRICT;

-- Every value of every step. NULL stands for NaN; the infinities are kept. 'metric' is metrics.id,
-- without a foreign key: checking it would cost a tenth of all logging.
CREATE TABLE series_values (
  metric INTEGER NOT NULL,
  step INTEGER NOT NULL,
  value REAL,
  PRIMARY KEY (metric, step)
) STRICT, WITHOUT ROWID;

-- The same values downsampled: finished buckets of 'width' steps with their extremes.
-- The tail that fills no bucket yet is read from the narrower widths, at last from series_values.
CREATE TABLE buckets (
  metric INTEGER NOT NULL,
  width INTEGER NOT NULL,
  start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  non_finite INTEGER NOT NULL,
  min REAL,
  min_step INTEGER,
  max REAL,
  max_step INTEGER,
  sum REAL NOT NULL,
  PRIMARY KEY (metric, width, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluations (
  run TEXT NOT NULL REFERENCES runs (id),
  step INTEGER NOT NULL,                  -- weight updates done when it was taken
  at INTEGER NOT NULL,
  epoch REAL NOT NULL,
  train_loss REAL,
  test_loss REAL,
  test_error REAL,                        -- percent
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;

-- What happened to a run: created, started, paused, resumed, stopped, diverged, failed, ...
CREATE TABLE run_events (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id),
  at INTEGER NOT NULL,
  step INTEGER NOT NULL,
  kind TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX run_events_by_run ON run_events (run, id);

CREATE VIEW series AS
  SELECT metrics.run, runs.name AS run_name, metrics.name AS metric, series_values.step, series_values.value
  FROM runs
  JOIN metrics ON metrics.run = runs.id
  JOIN series_values ON series_values.metric = metrics.id;
`;
