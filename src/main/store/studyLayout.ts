/** SQL of layout version 2: studies, and the study and cell of each run. */
export const studyLayout = `
-- One experiment trained many times. Times are milliseconds since 1970, UTC.
CREATE TABLE studies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'finished', 'stopped', 'interrupted')),
  reason TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  deleted_at INTEGER,                     -- in the bin since; nothing is erased
  total INTEGER NOT NULL,                 -- runs, as the definition expands
  workers INTEGER NOT NULL,               -- runs trained at the same time
  owner_pid INTEGER,                      -- process that trains it, while active
  owner_host TEXT,
  owner_token TEXT,
  heartbeat_at INTEGER,
  definition TEXT NOT NULL CHECK (json_valid(definition))
) STRICT;
CREATE INDEX studies_active ON studies (status) WHERE status IN ('running', 'paused');

-- A cell is one point of a study with one seed, named by what varies: 'h1|L0.alpha=0.01|s0'.
-- Of several runs of one cell the latest counts.
ALTER TABLE runs ADD COLUMN study TEXT REFERENCES studies (id);
ALTER TABLE runs ADD COLUMN cell TEXT;
ALTER TABLE runs ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;  -- stopped early as hopeless
CREATE INDEX runs_by_study ON runs (study, cell, id, status, pruned, deleted_at) WHERE study IS NOT NULL;

-- What a few steps of a program cost here, so that it is measured once.
CREATE TABLE calibrations (
  program TEXT NOT NULL,
  machine TEXT NOT NULL,
  at INTEGER NOT NULL,
  result TEXT NOT NULL CHECK (json_valid(result)),
  PRIMARY KEY (program, machine)
) STRICT, WITHOUT ROWID;
`;
