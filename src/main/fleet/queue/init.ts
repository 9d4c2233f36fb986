/** Makes the queue in a database: tables, functions, and two roles that sign in. Repeating it updates them. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { FleetError } from "../fleet.ts";
import { addressFor, parseAddress } from "./address.ts";
import { installBoss } from "./boss.ts";
import { QueueDatabase, type Queries } from "./database.ts";
import { migrations } from "./schema/migrations.ts";
import { channels, coordinatorRole, jobsSchema, ownSchema, workerRole } from "./schema/names.ts";

export interface InitializedRole {
  readonly role: string;
  /** With its password; null where the role existed and keeps the password that it has. */
  readonly url: string | null;
}

export interface InitializedQueue {
  readonly place: string;
  readonly version: number;
  readonly roles: readonly [coordinator: InitializedRole, worker: InitializedRole];
}

export interface InitOptions {
  /** Gives both roles new passwords. */
  readonly newPasswords?: boolean;
}

const lock = 7_203_118_944;

/** Oldest PostgreSQL that pg-boss runs on, as its server_version_num. */
const oldest = 130_000;

/** What PostgreSQL keeps of a password, so that not even its log sees the password itself. */
function verifierOf(password: string): string {
  const [salt, rounds] = [randomBytes(16), 4096];
  const salted = pbkdf2Sync(password, salt, rounds, 32, "sha256");
  const keyOf = (name: string) => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${stored}:${keyOf("Server Key").toString("base64")}`;
}

/** @returns the role's new password; null where it keeps the one that it has */
async function makeRole(queries: Queries, role: string, renew: boolean): Promise<string | null> {
  const there = (await queries.query("SELECT FROM pg_roles WHERE rolname = $1", [role])).length > 0;
  if (there && !renew) return null;
  const password = randomBytes(24).toString("base64url");
  // Only letters, digits and +/=$:- stand in a verifier.
  await queries.query(`${there ? "ALTER" : "CREATE"} ROLE ${role} LOGIN PASSWORD '${verifierOf(password)}'`);
  return password;
}

async function makeRoles(queries: Queries, renew: boolean): Promise<[string | null, string | null]> {
  const [{ may, me, all }] = (await queries.query<{ may: boolean; me: string; all: boolean }>("SELECT (rolsuper OR rolcreaterole) AS may, rolsuper AS all, current_user::text AS me FROM pg_roles WHERE rolname = current_user")) as [{ may: boolean; me: string; all: boolean }];
  // The coordinator's own role updates what it owns.
  if (me === coordinatorRole && !renew) return [null, null];
  if (!may) throw new FleetError(`${me} may not make roles: run hypertower queue init with the URL of an administrator of the database`, { retry: false });
  const passwords: [string | null, string | null] = [await makeRole(queries, coordinatorRole, renew), await makeRole(queries, workerRole, renew)];
  // Whoever makes a role may not act as it without this, unless it is a superuser.
  if (!all) await queries.query(`GRANT ${coordinatorRole} TO CURRENT_USER`);
  for (const schema of [ownSchema, jobsSchema]) {
    const there = (await queries.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema])).length > 0;
    if (!there) await queries.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${coordinatorRole}`);
  }
  return passwords;
}

/** Version of the queue's tables; null where there are none. */
export async function schemaVersion(queries: Queries): Promise<number | null> {
  const there = (await queries.query("SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'hypertower' AND c.relname = 'release'")).length > 0;
  return there ? (await queries.query<{ version: number }>("SELECT version FROM hypertower.release"))[0]!.version : null;
}

/** @param version null where there are no tables @throws FleetError unless this program can use the queue */
export function requireVersion(version: number | null, place: string): void {
  if (version === migrations.length) return;
  const problem =
    version === null
      ? "has no tables: run hypertower queue init URL with the URL of an administrator of the database"
      : version < migrations.length
        ? `was made by an older version of Hypertower: run hypertower queue init URL again (it has version ${version}; this program needs ${migrations.length})`
        : `was made by a newer version of Hypertower: update this one (the queue has version ${version}; this program knows ${migrations.length})`;
  throw new FleetError(`The queue at ${place} ${problem}.`, { retry: false });
}

/** @throws FleetError */
export async function initializeQueue(url: string, { newPasswords = false }: InitOptions = {}): Promise<InitializedQueue> {
  const address = parseAddress(url);
  const database = await QueueDatabase.open(address, "hypertower queue init", 1);
  try {
    const [{ number, text }] = (await database.query<{ number: number; text: string }>("SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text")) as [{ number: number; text: string }];
    if (number < oldest) throw new FleetError(`PostgreSQL 13 or later is needed; ${address.place} is ${text}`, { retry: false });
    const [coordinator, worker] = await database.transaction(async (queries) => {
      await queries.query(`SELECT pg_advisory_xact_lock(${lock})`);
      const found = await schemaVersion(queries);
      if (found !== null && found > migrations.length) requireVersion(found, address.place);
      return makeRoles(queries, newPasswords);
    });
    // One connection, which is the coordinator from here on: all that is made belongs to it.
    await database.query(`SET ROLE ${coordinatorRole}`);
    await installBoss(database);
    await database.transaction(async (queries) => {
      await queries.query(`SELECT pg_advisory_xact_lock(${lock})`);
      const from = (await schemaVersion(queries)) ?? 0;
      for (const migrate of migrations.slice(from)) await queries.query(migrate);
      await queries.query("UPDATE hypertower.release SET version = $1", [migrations.length]);
      await queries.query(`SELECT pg_notify('${channels.news}', '')`);
    });
    const role = (name: string, password: string | null): InitializedRole => ({ role: name, url: password === null ? null : addressFor(address.url, name, password) });
    return { place: address.place, version: migrations.length, roles: [role(coordinatorRole, coordinator), role(workerRole, worker)] };
  } finally {
    await database.close();
  }
}
