/** Names within the database. */

/** Schema of the tables of this program. */
export const ownSchema = "hypertower";
/** Schema of pg-boss, apart from one that another program may have in the same database. */
export const jobsSchema = "hypertower_jobs";
/** Name of the queue in pg-boss. */
export const jobsQueue = "units";

export const coordinatorRole = "hypertower_coordinator";
export const workerRole = "hypertower_worker";

/** Channels of notifications: for coordinators, and for workers. */
export const channels = { news: "hypertower_news", work: "hypertower_work" } as const;

/** Bytes of a row of a file. */
export const chunkBytes = 1 << 20;
