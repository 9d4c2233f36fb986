/** SQL of layout version 14: imported networks, whose files lie in `networks/` beside the store. */
export const networkLayout = `
CREATE TABLE networks (
  hash TEXT PRIMARY KEY,                  -- SHA-256 of networks/HASH.network
  name TEXT NOT NULL,
  source TEXT NOT NULL,                   -- file that it was imported from
  producer TEXT NOT NULL,                 -- program that wrote that file
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,            -- milliseconds since 1970
  facts TEXT NOT NULL CHECK (json_valid(facts))  -- what experiments record of it
) STRICT, WITHOUT ROWID;
CREATE INDEX networks_by_name ON networks (name);
`;
