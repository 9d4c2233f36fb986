/** Tables of the queue, first version. Never changed once released: later versions alter them. */
import { jobsSchema } from "./names.ts";

export const tables = `
CREATE TABLE hypertower.release (version integer NOT NULL);
INSERT INTO hypertower.release VALUES (0);

CREATE TABLE hypertower.units (
  unit text PRIMARY KEY,
  job uuid NOT NULL UNIQUE,
  document text NOT NULL,
  runs text[] NOT NULL,
  submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Attempts begun so far, and what the current one is allowed by.
  attempt integer NOT NULL DEFAULT 0,
  claim uuid UNIQUE,
  finished_claim uuid,
  -- The claim gave no sign of life for too long; it holds again when the worker comes back before another attempt.
  lost boolean NOT NULL DEFAULT false,
  worker text,
  host text,
  -- Of the segment that comes next.
  sequence integer NOT NULL DEFAULT 0,
  reason text,
  -- Why the last worker that looked at it could not train it.
  refusal text
);

CREATE TABLE hypertower.segments (
  unit text NOT NULL REFERENCES hypertower.units ON DELETE CASCADE,
  attempt integer NOT NULL,
  sequence integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (unit, attempt, sequence)
);
-- Numbers hardly compress, and trying takes time.
ALTER TABLE hypertower.segments ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE hypertower.ended_runs (
  unit text NOT NULL REFERENCES hypertower.units ON DELETE CASCADE,
  run text NOT NULL,
  PRIMARY KEY (unit, run)
);

-- The newest of each run. Attempt 0: it came with the unit.
CREATE TABLE hypertower.checkpoints (
  unit text NOT NULL REFERENCES hypertower.units ON DELETE CASCADE,
  run text NOT NULL,
  attempt integer NOT NULL,
  sequence integer NOT NULL,
  step bigint NOT NULL,
  size bigint NOT NULL,
  PRIMARY KEY (unit, run)
);
CREATE TABLE hypertower.checkpoint_chunks (
  unit text NOT NULL,
  run text NOT NULL,
  chunk integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (unit, run, chunk),
  FOREIGN KEY (unit, run) REFERENCES hypertower.checkpoints ON DELETE CASCADE
);
ALTER TABLE hypertower.checkpoint_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Imported networks, once for all units that need them.
CREATE TABLE hypertower.network_chunks (
  sha256 text NOT NULL,
  chunk integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (sha256, chunk)
);
CREATE TABLE hypertower.unit_networks (
  unit text NOT NULL REFERENCES hypertower.units ON DELETE CASCADE,
  sha256 text NOT NULL,
  PRIMARY KEY (unit, sha256)
);

CREATE TABLE hypertower.workers (
  worker text PRIMARY KEY,
  secret uuid NOT NULL,
  machine text NOT NULL,
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  load double precision,
  draining boolean NOT NULL DEFAULT false
);

CREATE TABLE hypertower.steering (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  unit text NOT NULL REFERENCES hypertower.units ON DELETE CASCADE,
  type text NOT NULL,
  run text
);
CREATE INDEX ON hypertower.steering (unit);
CREATE INDEX ON hypertower.unit_networks (sha256);

-- Units with their state.
CREATE VIEW hypertower.states AS
SELECT u.unit, u.job, u.document, u.submitted_at, u.attempt, u.worker, u.host, u.reason, u.refusal, j.heartbeat_on,
  CASE WHEN j.state IS NULL THEN 'unknown' WHEN j.state < 'active' THEN 'waiting' WHEN j.state = 'active' THEN 'running'
    WHEN j.state = 'completed' THEN 'ended' WHEN j.state = 'cancelled' THEN 'canceled' ELSE 'failed' END AS state
FROM hypertower.units u LEFT JOIN ${jobsSchema}.job j ON j.id = u.job AND j.name = 'units';
`;
