/** SQL of layout version 15: studies that are trained at a fleet, and the units of work that are there. */
export const fleetLayout = `
-- Studies without a row are trained on the machine that has the store.
CREATE TABLE fleet_studies (
  study TEXT PRIMARY KEY REFERENCES studies (id) ON DELETE CASCADE,
  fleet TEXT NOT NULL,                     -- as in --on
  unit_time REAL,                          -- milliseconds that a unit should take at least; NULL for the default
  step_time REAL,                          -- measured milliseconds per step; NULL if unknown
  goes_on INTEGER NOT NULL DEFAULT 1       -- whether a host that starts attaches to it again
) STRICT, WITHOUT ROWID;

-- Units of work that were handed to a fleet and not taken in whole.
CREATE TABLE fleet_units (
  id TEXT PRIMARY KEY,
  fleet TEXT NOT NULL,
  study TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('submitting', 'waiting', 'running', 'ended', 'failed', 'canceled', 'unknown')),
  reason TEXT,
  job TEXT,
  place TEXT,                              -- where it is trained or was last
  attempts INTEGER NOT NULL DEFAULT 0,
  submitted_at INTEGER NOT NULL,           -- milliseconds since 1970
  estimate REAL,                           -- milliseconds
  runs INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,      -- the last segment that is committed
  sequence INTEGER NOT NULL DEFAULT -1,
  unit TEXT NOT NULL CHECK (json_valid(unit))
) STRICT, WITHOUT ROWID;
CREATE INDEX fleet_units_by_study ON fleet_units (study);

-- The unit that trains a run: what other units hand in of it is refused.
CREATE TABLE fleet_runs (
  run TEXT PRIMARY KEY,
  unit TEXT NOT NULL REFERENCES fleet_units (id) ON DELETE CASCADE,
  started TEXT CHECK (json_valid(started)), -- what its trainer said last when it began
  asked TEXT                               -- 'pause' or 'stop' where its worker was asked for that
) STRICT, WITHOUT ROWID;
CREATE INDEX fleet_runs_by_unit ON fleet_runs (unit);

CREATE TRIGGER fleet_runs_gone AFTER DELETE ON runs BEGIN
  DELETE FROM fleet_runs WHERE run = old.id;
END;
`;
