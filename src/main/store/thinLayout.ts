/** SQL of layout version 12: thinned runs, whose values are erased and whose buckets from a width on stay. */
import { changeNumber } from "./changeLayout.ts";

export const thinLayout = `
ALTER TABLE runs ADD COLUMN thinned_at INTEGER;      -- since when the values are erased; NULL: all are there
ALTER TABLE runs ADD COLUMN thinned_width INTEGER;   -- steps per kept bucket

-- CRC-32 of up to 64 consecutive buckets of a width, which stand for the erased values; width 1: of the value of step 0.
CREATE TABLE kept_checksums (
  metric INTEGER NOT NULL,                -- metrics.id
  width INTEGER NOT NULL,
  start INTEGER NOT NULL,                 -- first step of the first bucket
  crc INTEGER NOT NULL,
  PRIMARY KEY (metric, width, start)
) STRICT, WITHOUT ROWID;

-- Metrics of thinned runs whose values are still to be deleted, in parts.
CREATE TABLE thinning (metric INTEGER PRIMARY KEY) STRICT;

CREATE TRIGGER metrics_kept_gone AFTER DELETE ON metrics BEGIN
  DELETE FROM kept_checksums WHERE metric = old.id;
  DELETE FROM thinning WHERE metric = old.id;
END;
CREATE TRIGGER runs_checksum_thinned AFTER UPDATE OF thinned_at, thinned_width ON runs BEGIN
  UPDATE run_checksums SET crc = NULL WHERE run = new.id;
END;
CREATE TRIGGER runs_counted_thinned AFTER UPDATE OF thinned_at, thinned_width ON runs BEGIN
  ${changeNumber("runs", "new.id", "max(max(changed), (SELECT runs_changed FROM identity))")}
END;
`;
