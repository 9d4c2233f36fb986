/** A PostgreSQL for tests of the queue, ended with the test file by its own number. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresPackage } from "../../src/main/fleet/queue/binaries.ts";
import { startEmbedded, type EmbeddedQueue } from "../../src/main/fleet/queue/embedded.ts";
import { packageFolder } from "../../src/core/extras/index.ts";

/** Why there is none on this machine; null where there is. */
export const queueServerProblem: string | null = packageFolder(postgresPackage()) === null ? `the package ${postgresPackage()} is not installed` : null;

export interface QueueServer extends EmbeddedQueue {
  remove(): Promise<void>;
}

export async function startQueueServer(): Promise<QueueServer> {
  const folder = await mkdtemp(join(tmpdir(), "hypertower-queue-"));
  const server = await startEmbedded(folder, { temporary: true, ...(process.env["HYPERTOWER_POSTGRES"] && { programs: process.env["HYPERTOWER_POSTGRES"] }) });
  return {
    ...server,
    remove: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
