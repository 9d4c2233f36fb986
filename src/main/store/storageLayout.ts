/** SQL of layout version 11: the store's identity, what was erased from it, and what is left to erase. */
import { changeTriggers, dropChangeTriggers } from "./changeLayout.ts";

export const storageLayout = `
-- One row. Logged runs and steps plus the erased ones never decrease, so that a file that lost some is noticed.
CREATE TABLE identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  erased_runs INTEGER NOT NULL DEFAULT 0,
  erased_steps INTEGER NOT NULL DEFAULT 0,
  runs_changed INTEGER NOT NULL DEFAULT 0,     -- highest change numbers of erased rows: never given out again
  studies_changed INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO identity (one, id) VALUES (1, lower(hex(randomblob(16))));

-- Every run has one metric at position 0; its count is the number of logged steps.
CREATE INDEX metrics_steps ON metrics (count) WHERE position = 0;

-- Metrics of erased runs whose values are still to be deleted, in parts.
CREATE TABLE erasing (metric INTEGER PRIMARY KEY) STRICT;

-- SQLite may reuse the id of a deleted metric: its old values must be gone before the new ones come.
CREATE TRIGGER metrics_reused AFTER INSERT ON metrics WHEN EXISTS (SELECT 1 FROM erasing WHERE metric = new.id)
BEGIN
  DELETE FROM series_values WHERE metric = new.id;
  DELETE FROM buckets WHERE metric = new.id;
  DELETE FROM erasing WHERE metric = new.id;
END;

${dropChangeTriggers}
${changeTriggers({
  runs: "max(max(changed), (SELECT runs_changed FROM identity))",
  studies: "max(max(changed), (SELECT studies_changed FROM identity))",
})}`;
