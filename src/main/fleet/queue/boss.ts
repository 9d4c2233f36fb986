/** pg-boss, which keeps the jobs of units. It is loaded when a queue is used. */
import type { Db, PgBoss } from "pg-boss";
import type { Queries } from "./database.ts";
import { jobsQueue, jobsSchema } from "./schema/names.ts";

/** What pg-boss asks runs here. */
export const forBoss = (queries: Queries): Db => ({ executeSql: async (text, values) => ({ rows: await queries.query(text, values) }) });

const quiet = { schema: jobsSchema, schedule: false, supervise: false, createSchema: false, backend: "postgres", registerInstance: false } as const;

/** Makes or updates pg-boss's tables and its queue. Attempts end by workers' signs of life and not by time. */
export async function installBoss(queries: Queries): Promise<void> {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ ...quiet, db: forBoss(queries), migrate: true });
  await boss.start();
  try {
    if ((await boss.getQueue(jobsQueue)) === null) await boss.createQueue(jobsQueue, { policy: "standard" });
  } finally {
    await boss.stop({ graceful: false });
  }
}

export async function startBoss(queries: Queries): Promise<PgBoss> {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ ...quiet, db: forBoss(queries), migrate: false });
  // Failures are reported by the requests that fail.
  boss.on("error", () => undefined);
  await boss.start();
  return boss;
}
