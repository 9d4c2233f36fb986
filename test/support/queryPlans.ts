/**
 * Checks the plan of every statement that src/main prepares in a test: none may read a whole table that grows with every step, which takes
 * minutes in a store of 100 GB.
 */
import Database from "better-sqlite3";

/** Tables that grow with what runs log. */
const large = ["series_values", "buckets", "series_checksums", "evaluations", "run_events"];
const reads = new RegExp(`^SCAN (${large.join("|")})\\b`);

/** Reads damaged stores row by row. */
const mayRead = "/src/main/store/salvage/";

const { prepare } = Database.prototype;
const seen = new Set<string>();

/** Steps of a statement's plan that read a whole large table. */
export function wholeReads(db: Database.Database, sql: string): string[] {
  const unnamed = sql.match(/\?/g)?.map(() => 0) ?? [];
  const named = Object.fromEntries((sql.match(/[@:$]\w+/g) ?? []).map((name) => [name.slice(1), 0]));
  const parameters: unknown[] = [...unnamed, ...(Object.keys(named).length > 0 ? [named] : [])];
  const plan = (prepare.call(db, `EXPLAIN QUERY PLAN ${sql}`) as Database.Statement<unknown[]>).all(...parameters) as { detail: string }[];
  return plan.map(({ detail }) => detail).filter((detail) => reads.test(detail));
}

function isOurs(): boolean {
  const caller = (new Error().stack ?? "").split("\n")[3]?.replaceAll("\\", "/") ?? "";
  return caller.includes("/src/main/") && !caller.includes(mayRead);
}

const marked = Symbol.for("hypertower.refusesWholeReads");

/** Whether statements of src/main are checked here. */
export const isChecking = (): boolean => marked in Database.prototype.prepare;

// Workers keep their modules between test files.
if (!isChecking()) {
  const checked = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql);
    if (!seen.has(sql) && /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(sql) && isOurs()) {
      seen.add(sql);
      const [first] = wholeReads(this, sql);
      if (first !== undefined) throw new Error(`A statement reads a whole large table (${first}); give it an index: ${sql.replaceAll(/\s+/g, " ")}`);
    }
    return statement;
  };
  Database.prototype.prepare = Object.assign(checked, { [marked]: true }) as typeof prepare;
}
