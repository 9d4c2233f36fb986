/** SQL of layout version 16: runs that other programs recorded. Their series keep the steps as recorded, with gaps. */
import { changeNumber } from "./changeLayout.ts";

export const importedLayout = `
ALTER TABLE runs ADD COLUMN imported TEXT CHECK (imported IS NULL OR json_valid(imported));   -- what is known of its origin; NULL: trained here
CREATE INDEX runs_imported ON runs (imported ->> '$.path', imported ->> '$.key') WHERE imported IS NOT NULL;
CREATE TRIGGER runs_checksum_imported AFTER UPDATE OF imported ON runs BEGIN
  UPDATE run_checksums SET crc = NULL WHERE run = new.id;
END;
CREATE TRIGGER runs_counted_imported AFTER UPDATE OF imported ON runs BEGIN
  ${changeNumber("runs", "new.id", "max(max(changed), (SELECT runs_changed FROM identity))")}
END;
`;
