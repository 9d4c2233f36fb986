/**
 * All that a worker can do: functions that run with the rights of their owner and check the worker's secret or its claim of
 * a unit. What a worker hands in is written in the transaction that finds its claim valid and renews it.
 */
import { chunkBytes, jobsSchema, ownSchema } from "./names.ts";

/** Largest bytes of a segment, and characters of the description of a machine. */
const limits = { segment: 64 << 20, machine: 200_000 } as const;

interface WorkerFunction {
  readonly name: string;
  readonly parameters: string;
  readonly returns: string;
  readonly declare?: string;
  readonly body: string;
  /** Not for workers themselves. */
  readonly internal?: boolean;
}

const job = `${jobsSchema}.job`;
const ofQueue = "name = 'units'";

const functions: readonly WorkerFunction[] = [
  { name: "version", parameters: "", returns: "integer", body: "RETURN (SELECT version FROM hypertower.release);" },
  {
    name: "known",
    internal: true,
    parameters: "worker_id text, worker_secret uuid",
    returns: "hypertower.workers",
    declare: "found_worker hypertower.workers;",
    body: `
    SELECT * INTO found_worker FROM hypertower.workers w WHERE w.worker = worker_id AND w.secret = worker_secret;
    IF NOT FOUND THEN RAISE EXCEPTION 'the queue does not know this worker: it was away for long, or another has its name' USING ERRCODE = 'HT002'; END IF;
    RETURN found_worker;`,
  },
  {
    // Finds a claim valid, locks its unit until the transaction ends, and renews it.
    name: "hold",
    internal: true,
    parameters: "given uuid",
    returns: "hypertower.units",
    declare: "held hypertower.units;",
    body: `
    SELECT * INTO held FROM hypertower.units u WHERE u.claim = given FOR UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'another attempt of the unit has begun, or it was removed' USING ERRCODE = 'HT001'; END IF;
    UPDATE ${job} SET heartbeat_on = clock_timestamp(), state = 'active', completed_on = NULL
      WHERE ${ofQueue} AND id = held.job AND (state = 'active' OR (held.lost AND state IN ('retry', 'failed')));
    IF NOT FOUND THEN RAISE EXCEPTION 'the unit was canceled' USING ERRCODE = 'HT001'; END IF;
    IF held.lost THEN
      UPDATE hypertower.units u SET lost = false, reason = NULL WHERE u.unit = held.unit;
      PERFORM pg_notify('hypertower_news', '');
    END IF;
    RETURN held;`,
  },
  {
    // The unit of an attempt that ended without a result waits again, or is set aside.
    name: "give_back",
    internal: true,
    parameters: "unit_id text, job_id uuid, why text, is_lost boolean",
    returns: "void",
    body: `
    UPDATE ${job} SET
        state = (CASE WHEN retry_count < retry_limit THEN 'retry' ELSE 'failed' END)::${jobsSchema}.job_state,
        completed_on = CASE WHEN retry_count < retry_limit THEN NULL ELSE clock_timestamp() END,
        start_after = clock_timestamp() + retry_delay * interval '1 second'
      WHERE ${ofQueue} AND id = job_id;
    UPDATE hypertower.units u SET reason = left(why, 4000), lost = is_lost WHERE u.unit = unit_id;
    PERFORM pg_notify('hypertower_news', ''), pg_notify('hypertower_work', '');`,
  },
  {
    // After a restart of PostgreSQL, workers get the time of a sign of life to come back.
    name: "expire",
    internal: true,
    parameters: "",
    returns: "integer",
    declare: "gone record; total integer := 0;",
    body: `
    FOR gone IN
      SELECT u.unit, u.host, u.attempt, j.id, j.heartbeat_seconds FROM ${job} j JOIN hypertower.units u ON u.job = j.id
      WHERE j.${ofQueue} AND j.state = 'active' AND greatest(j.heartbeat_on, pg_postmaster_start_time()) + j.heartbeat_seconds * interval '1 second' < clock_timestamp()
      FOR UPDATE OF u, j SKIP LOCKED
    LOOP
      PERFORM hypertower.give_back(gone.unit, gone.id, format('attempt %s was lost: its worker on %s gave no sign of life for %s s', gone.attempt, gone.host, gone.heartbeat_seconds), true);
      total := total + 1;
    END LOOP;
    RETURN total;`,
  },
  {
    name: "hello",
    parameters: "worker_id text, worker_secret uuid, machine text, started double precision",
    returns: "void",
    body: `
    IF worker_id !~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$' OR length(machine) > ${limits.machine} THEN RAISE EXCEPTION 'the worker''s name or the description of its machine is not allowed' USING ERRCODE = 'HT002'; END IF;
    DELETE FROM hypertower.workers w WHERE w.seen_at < clock_timestamp() - interval '1 day';
    INSERT INTO hypertower.workers AS w (worker, secret, machine, started_at) VALUES (worker_id, worker_secret, machine, to_timestamp(started / 1000))
      ON CONFLICT (worker) DO UPDATE SET secret = excluded.secret, machine = excluded.machine, started_at = excluded.started_at, seen_at = clock_timestamp()
      WHERE w.secret = excluded.secret OR w.seen_at < clock_timestamp() - interval '2 minutes';
    IF NOT FOUND THEN RAISE EXCEPTION 'another worker is named %', worker_id USING ERRCODE = 'HT002'; END IF;`,
  },
  {
    name: "bye",
    parameters: "worker_id text, worker_secret uuid",
    returns: "void",
    body: "DELETE FROM hypertower.workers w WHERE w.worker = worker_id AND w.secret = worker_secret;",
  },
  {
    // Answers whether the worker is to take no further unit, and which of its claims no longer hold.
    name: "beat",
    parameters: "worker_id text, worker_secret uuid, busy double precision, claims uuid[]",
    returns: "jsonb",
    declare: "self hypertower.workers; given uuid; lost jsonb := '{}';",
    body: `
    self := hypertower.known(worker_id, worker_secret);
    UPDATE hypertower.workers w SET seen_at = clock_timestamp(), load = busy WHERE w.worker = worker_id;
    FOREACH given IN ARRAY claims[1:1000] LOOP
      BEGIN
        PERFORM hypertower.hold(given);
      EXCEPTION WHEN SQLSTATE 'HT001' THEN
        lost := lost || jsonb_build_object(given::text, SQLERRM);
      END;
    END LOOP;
    RETURN jsonb_build_object('draining', self.draining, 'lost', lost);`,
  },
  {
    name: "waiting",
    parameters: "worker_id text, worker_secret uuid",
    returns: "text[]",
    body: `
    IF (hypertower.known(worker_id, worker_secret)).draining THEN RETURN '{}'; END IF;
    PERFORM hypertower.expire();
    RETURN ARRAY(SELECT u.unit FROM ${job} j JOIN hypertower.units u ON u.job = j.id
      WHERE j.${ofQueue} AND j.state < 'active' AND j.start_after <= clock_timestamp() ORDER BY j.priority DESC, j.created_on LIMIT 1000);`,
  },
  {
    name: "offer",
    parameters: "worker_id text, worker_secret uuid, wanted text",
    returns: "text",
    body: `
    PERFORM hypertower.known(worker_id, worker_secret);
    RETURN (SELECT u.document FROM ${job} j JOIN hypertower.units u ON u.job = j.id WHERE j.${ofQueue} AND j.state < 'active' AND u.unit = wanted);`,
  },
  {
    name: "refuse",
    parameters: "worker_id text, worker_secret uuid, wanted text, why text",
    returns: "void",
    body: `
    PERFORM hypertower.known(worker_id, worker_secret);
    UPDATE hypertower.units u SET refusal = left(why, 2000) WHERE u.unit = wanted AND u.refusal IS DISTINCT FROM left(why, 2000)
      AND EXISTS (SELECT FROM ${job} j WHERE j.${ofQueue} AND j.id = u.job AND j.state < 'active');`,
  },
  {
    name: "claim",
    parameters: "worker_id text, worker_secret uuid, wanted text",
    returns: "TABLE (claim uuid, attempt integer)",
    declare: "self hypertower.workers; found_unit text; found_job uuid;",
    body: `
    self := hypertower.known(worker_id, worker_secret);
    IF self.draining THEN RETURN; END IF;
    SELECT u.unit, u.job INTO found_unit, found_job FROM hypertower.units u JOIN ${job} j ON j.id = u.job
      WHERE u.unit = wanted AND j.${ofQueue} AND j.state < 'active' AND j.start_after <= clock_timestamp() FOR UPDATE OF u, j SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    UPDATE ${job} SET state = 'active', started_on = clock_timestamp(), heartbeat_on = clock_timestamp(),
        retry_count = CASE WHEN started_on IS NULL THEN retry_count ELSE retry_count + 1 END
      WHERE ${ofQueue} AND id = found_job;
    PERFORM pg_notify('hypertower_news', '');
    RETURN QUERY UPDATE hypertower.units AS u SET attempt = u.attempt + 1, claim = gen_random_uuid(), worker = worker_id, host = left(self.machine::json->>'host', 300),
        sequence = 0, refusal = NULL, lost = false
      WHERE u.unit = found_unit RETURNING u.claim, u.attempt;`,
  },
  {
    name: "put_segment",
    parameters: "given uuid, number integer, content bytea, ended text[]",
    returns: "void",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    IF number < held.sequence THEN RETURN; END IF;
    IF number > held.sequence THEN RAISE EXCEPTION 'segment % came where % was expected', number, held.sequence USING ERRCODE = 'HT002'; END IF;
    IF octet_length(content) > ${limits.segment} THEN RAISE EXCEPTION 'a segment has % bytes; ${limits.segment} are allowed', octet_length(content) USING ERRCODE = 'HT002'; END IF;
    IF NOT ended <@ held.runs THEN RAISE EXCEPTION 'a run that ended is none of the unit' USING ERRCODE = 'HT002'; END IF;
    INSERT INTO hypertower.segments VALUES (held.unit, held.attempt, number, content);
    UPDATE hypertower.units u SET sequence = number + 1 WHERE u.unit = held.unit;
    IF cardinality(ended) > 0 THEN
      INSERT INTO hypertower.ended_runs SELECT held.unit, e FROM unnest(ended) e ON CONFLICT DO NOTHING;
      UPDATE ${job} SET retry_count = 0 WHERE ${ofQueue} AND id = held.job;
    END IF;
    PERFORM pg_notify('hypertower_news', '');`,
  },
  {
    // The chunks of a file come in order, all in one transaction. Attempts that come further count as none that was lost.
    name: "put_checkpoint",
    parameters: "given uuid, of_run text, at_step bigint, number integer, whole_size bigint, nth integer, content bytea",
    returns: "void",
    declare: "held hypertower.units; last_step bigint;",
    body: `
    held := hypertower.hold(given);
    IF NOT of_run = ANY(held.runs) THEN RAISE EXCEPTION 'a checkpoint is of a run that is none of the unit' USING ERRCODE = 'HT002'; END IF;
    IF number >= held.sequence OR at_step < 0 OR octet_length(content) > ${chunkBytes} OR nth::bigint * ${chunkBytes} > whole_size THEN
      RAISE EXCEPTION 'a checkpoint does not fit what was handed in before it' USING ERRCODE = 'HT002';
    END IF;
    IF nth = 0 THEN
      DELETE FROM hypertower.checkpoints c WHERE c.unit = held.unit AND c.run = of_run RETURNING c.step INTO last_step;
      INSERT INTO hypertower.checkpoints VALUES (held.unit, of_run, held.attempt, number, at_step, whole_size);
      IF at_step > coalesce(last_step, 0) THEN UPDATE ${job} SET retry_count = 0 WHERE ${ofQueue} AND id = held.job; END IF;
      PERFORM pg_notify('hypertower_news', '');
    END IF;
    INSERT INTO hypertower.checkpoint_chunks VALUES (held.unit, of_run, nth, content);`,
  },
  {
    name: "checkpoint",
    parameters: "given uuid, of_run text",
    returns: "TABLE (step bigint, chunks integer)",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    RETURN QUERY SELECT c.step, (SELECT count(*)::integer FROM hypertower.checkpoint_chunks k WHERE k.unit = c.unit AND k.run = c.run)
      FROM hypertower.checkpoints c WHERE c.unit = held.unit AND c.run = of_run;`,
  },
  {
    name: "checkpoint_chunk",
    parameters: "given uuid, of_run text, nth integer",
    returns: "bytea",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    RETURN (SELECT k.bytes FROM hypertower.checkpoint_chunks k WHERE k.unit = held.unit AND k.run = of_run AND k.chunk = nth);`,
  },
  {
    name: "ended_runs",
    parameters: "given uuid",
    returns: "text[]",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    RETURN ARRAY(SELECT e.run FROM hypertower.ended_runs e WHERE e.unit = held.unit);`,
  },
  {
    name: "network_chunk",
    parameters: "given uuid, sha text, nth integer",
    returns: "bytea",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    RETURN (SELECT k.bytes FROM hypertower.network_chunks k JOIN hypertower.unit_networks n ON n.sha256 = k.sha256
      WHERE n.unit = held.unit AND k.sha256 = sha AND k.chunk = nth);`,
  },
  {
    name: "steering",
    parameters: "given uuid, after_id bigint",
    returns: "TABLE (id bigint, type text, run text)",
    declare: "held hypertower.units;",
    body: `
    held := hypertower.hold(given);
    RETURN QUERY SELECT s.id, s.type, s.run FROM hypertower.steering s WHERE s.unit = held.unit AND s.id > after_id ORDER BY s.id;`,
  },
  {
    name: "finish",
    parameters: "given uuid, outcome text, why text",
    returns: "void",
    declare: "held hypertower.units;",
    body: `
    -- The answer to the first call may have been lost.
    IF EXISTS (SELECT FROM hypertower.units u WHERE u.finished_claim = given) THEN RETURN; END IF;
    held := hypertower.hold(given);
    UPDATE hypertower.units u SET claim = NULL, finished_claim = given WHERE u.unit = held.unit;
    IF outcome = 'ended' THEN
      UPDATE ${job} SET state = 'completed', completed_on = clock_timestamp() WHERE ${ofQueue} AND id = held.job;
      UPDATE hypertower.units u SET reason = NULL WHERE u.unit = held.unit;
      DELETE FROM hypertower.steering s WHERE s.unit = held.unit;
      PERFORM pg_notify('hypertower_news', '');
    ELSIF outcome = 'left' THEN
      -- An attempt that was left in order does not count.
      UPDATE ${job} SET state = 'retry', started_on = NULL, start_after = clock_timestamp() WHERE ${ofQueue} AND id = held.job;
      UPDATE hypertower.units u SET reason = left(why, 4000) WHERE u.unit = held.unit;
      PERFORM pg_notify('hypertower_news', ''), pg_notify('hypertower_work', '');
    ELSE
      PERFORM hypertower.give_back(held.unit, held.job, format('attempt %s on %s failed: %s', held.attempt, held.host, why), false);
    END IF;`,
  },
];

const typesOf = (parameters: string): string => parameters.split(", ").filter((one) => one !== "").map((one) => one.slice(one.indexOf(" ") + 1)).join(", ");

const definitionOf = ({ name, parameters, returns, declare, body }: WorkerFunction): string => `
CREATE OR REPLACE FUNCTION hypertower.${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
${declare ? `DECLARE ${declare}\n` : ""}BEGIN
${body}
END;
$body$;`;

/** Makes the functions, and lets the worker's role call those that are for it. */
export const functionsFor = (workerRole: string): string =>
  [
    ...functions.map(definitionOf),
    `REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${ownSchema} FROM PUBLIC;`,
    `GRANT USAGE ON SCHEMA ${ownSchema} TO ${workerRole};`,
    ...functions.filter(({ internal }) => !internal).map(({ name, parameters }) => `GRANT EXECUTE ON FUNCTION hypertower.${name}(${typesOf(parameters)}) TO ${workerRole};`),
  ].join("\n");
