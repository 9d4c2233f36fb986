/** Which process trains a run, and whether that process is still there. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** Heartbeats are written at least this often while runs are active. */
export const heartbeatEvery = 10_000;

/** An owner not heard of for this long is taken for dead. */
export const heartbeatLimit = 30_000;

export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells this opening of the store from an earlier process that had the same pid. */
  readonly token: string;
}

const mine = new Set<string>();

export function claimOwnership(): Owner {
  const owner = { pid: process.pid, host: hostname(), token: randomUUID() };
  mine.add(owner.token);
  return owner;
}

export function releaseOwnership(owner: Owner): void {
  mine.delete(owner.token);
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it: it exists.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether the owner of an active run still trains it, judged from what the store says. */
export function ownerLives(
  owner: { pid: number | null; host: string | null; token: string | null; heartbeatAt: number | null },
  now: number,
): boolean {
  if (owner.token !== null && mine.has(owner.token)) return true;
  if (owner.pid === null || owner.heartbeatAt === null) return false;
  if (now - owner.heartbeatAt > heartbeatLimit) return false;
  // Pids of another machine (or container) mean nothing here: only the heartbeat speaks.
  if (owner.host !== hostname()) return true;
  return owner.pid !== process.pid && processLives(owner.pid);
}
