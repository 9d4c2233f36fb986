/**
 * Versions of the queue's tables, oldest first. A released one is never changed; a change is appended. When pg-boss is
 * updated to one with other tables, append a version, empty if need be, so that older programs are told.
 */
import { functionsFor } from "./functions.ts";
import { workerRole } from "./names.ts";
import { tables } from "./tables.ts";

export const migrations: readonly string[] = [`${tables}\n${functionsFor(workerRole)}`];
