/** SQL of layout version 9: checksums of everything that is logged, written with the rows that they cover. */
import { firstSealedRunColumns, firstSealedStudyColumns } from "./checksums.ts";

export const checksumLayout = `
-- CRC-32 of each 256 consecutive values of a metric; 'start' is their first step.
CREATE TABLE series_checksums (
  metric INTEGER NOT NULL,                -- metrics.id
  start INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  PRIMARY KEY (metric, start)
) STRICT, WITHOUT ROWID;
ALTER TABLE metrics ADD COLUMN open_crc INTEGER;     -- of the values after the last 256; NULL: not made yet
ALTER TABLE evaluations ADD COLUMN crc INTEGER;      -- of the row
ALTER TABLE run_events ADD COLUMN crc INTEGER;       -- of the row

-- Checksum of each row of 'runs', and how many rows of other tables belong to it.
CREATE TABLE run_checksums (
  run TEXT PRIMARY KEY,                   -- runs.id
  crc INTEGER,                            -- NULL within the transaction that changes the row
  evaluations INTEGER NOT NULL DEFAULT 0,
  events INTEGER NOT NULL DEFAULT 0,
  loose INTEGER NOT NULL DEFAULT 0,       -- evaluations and events without checksum, within a transaction
  since INTEGER,                          -- when the checksums were complete; NULL: not yet
  from_start INTEGER NOT NULL             -- 1: made while the run was logged; 0: made later, from what was stored
) STRICT, WITHOUT ROWID;
CREATE INDEX run_checksums_open ON run_checksums (run) WHERE since IS NOT NULL AND (crc IS NULL OR loose > 0);
CREATE INDEX run_checksums_due ON run_checksums (run) WHERE since IS NULL;
CREATE TABLE study_checksums (study TEXT PRIMARY KEY, crc INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX study_checksums_open ON study_checksums (study) WHERE crc IS NULL;

INSERT INTO run_checksums (run, from_start) SELECT id, 0 FROM runs;
INSERT INTO study_checksums (study) SELECT id FROM studies;

CREATE TRIGGER runs_checksum_new AFTER INSERT ON runs BEGIN
  INSERT OR REPLACE INTO run_checksums (run, since, from_start) VALUES (new.id, CAST(unixepoch('subsec') * 1000 AS INTEGER), 1);
END;
CREATE TRIGGER runs_checksum_changed AFTER UPDATE OF ${firstSealedRunColumns.join(", ")} ON runs BEGIN
  UPDATE run_checksums SET crc = NULL WHERE run = new.id;
END;
CREATE TRIGGER runs_checksum_gone AFTER DELETE ON runs BEGIN
  DELETE FROM run_checksums WHERE run = old.id;
END;
CREATE TRIGGER metrics_checksum_gone AFTER DELETE ON metrics BEGIN
  DELETE FROM series_checksums WHERE metric = old.id;
END;
CREATE TRIGGER evaluations_checksum_new AFTER INSERT ON evaluations BEGIN
  UPDATE run_checksums SET evaluations = evaluations + 1, loose = loose + (new.crc IS NULL) WHERE run = new.run;
END;
CREATE TRIGGER run_events_checksum_new AFTER INSERT ON run_events BEGIN
  UPDATE run_checksums SET events = events + 1, loose = loose + (new.crc IS NULL) WHERE run = new.run;
END;
CREATE TRIGGER studies_checksum_new AFTER INSERT ON studies BEGIN
  INSERT OR REPLACE INTO study_checksums (study) VALUES (new.id);
END;
CREATE TRIGGER studies_checksum_changed AFTER UPDATE OF ${firstSealedStudyColumns.join(", ")} ON studies BEGIN
  UPDATE study_checksums SET crc = NULL WHERE study = new.id;
END;
CREATE TRIGGER studies_checksum_gone AFTER DELETE ON studies BEGIN
  DELETE FROM study_checksums WHERE study = old.id;
END;
`;
