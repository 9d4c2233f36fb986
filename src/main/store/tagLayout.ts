/** SQL of layout version 13: tags of runs and studies. */
import { changeNumber } from "./changeLayout.ts";

const table = (name: "runs" | "studies", checksums: string, key: string) => `
ALTER TABLE ${name} ADD COLUMN tags TEXT;   -- JSON list of names; NULL for none
CREATE TRIGGER ${name}_checksum_tagged AFTER UPDATE OF tags ON ${name} BEGIN
  UPDATE ${checksums} SET crc = NULL WHERE ${key} = new.id;
END;
CREATE TRIGGER ${name}_counted_tagged AFTER UPDATE OF tags ON ${name} BEGIN
  ${changeNumber(name, "new.id", `max(max(changed), (SELECT ${name}_changed FROM identity))`)}
END;`;

export const tagLayout = table("runs", "run_checksums", "run") + table("studies", "study_checksums", "study");
