/** SQL of layout version 4: leases on runs and studies, and the hosts that hold them. */
export const leaseLayout = `
-- A process that trains runs of this store. It counts beats while it lives; nobody compares its clock with another's.
CREATE TABLE hosts (
  token TEXT PRIMARY KEY,                 -- runs.owner_token, studies.owner_token
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,                     -- name of the machine
  beats INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- How often a run or study was taken. Its owner may write only while this is the number it took.
ALTER TABLE runs ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
ALTER TABLE studies ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
`;
