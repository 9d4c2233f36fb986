/** The processes that hold leases on runs and studies of a store, and whether they are alive. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { explain, explained } from "./errors.ts";
import { isProcessAlive } from "../../core/durable/alive.ts";
import { HostLock, isLocked } from "./hostLock.ts";
import type { Log } from "./log.ts";

/** Milliseconds between a host's beats, and between polls of other hosts' beats. */
export const beatEvery = 10_000;

/** Consecutive polls without a beat after which a host on another machine counts as dead. Polls are counted, not time, because a sleeping machine does not poll. */
export const silentPolls = 4;

/** Owner of an active run or study, from its row. */
export interface LeaseOwner {
  readonly token: string | null;
  readonly pid: number | null;
  readonly host: string | null;
}

export const ownerColumns = "owner_token AS token, owner_pid AS pid, owner_host AS host";

/** Whether an owner had ended at the time of a poll. */
export type IsGone = (owner: LeaseOwner) => boolean;

interface SeenOwner extends LeaseOwner {
  /** Null for an owner whose version had no beats. */
  readonly beats: number | null;
  /** Time of the owner's last write; used for versions without beats. */
  readonly heartbeatAt: number | null;
}

const owners = `
  SELECT ${ownerColumns}, max(heartbeat_at) AS heartbeatAt, hosts.beats AS beats
  FROM (
    SELECT owner_token, owner_pid, owner_host, heartbeat_at FROM runs WHERE status IN ('queued', 'running', 'paused')
    UNION ALL
    SELECT owner_token, owner_pid, owner_host, heartbeat_at FROM studies WHERE status IN ('running', 'paused')
  )
  LEFT JOIN hosts ON hosts.token = owner_token
  GROUP BY owner_token, owner_pid, owner_host`;

const keyOf = ({ token, pid, host }: LeaseOwner) => JSON.stringify([token, pid, host]);

export class Hosts {
  readonly token = randomUUID();
  readonly pid = process.pid;
  readonly #db: Database;
  readonly #path: string;
  readonly #folder: string;
  readonly #log: Log;
  /** This machine's name. */
  readonly machine: string;
  /** Beats of each owner at the last poll, and the number of polls without a new one. */
  #seen: ReadonlyMap<string, { readonly count: number; readonly polls: number }> = new Map();
  #lock: HostLock | undefined;
  #registered = false;

  /** @param machine the name of this machine; its host name by default */
  constructor(db: Database, path: string, log: Log, machine = hostname()) {
    this.#db = db;
    this.#path = path;
    this.#folder = join(dirname(path), "hosts");
    this.#log = log;
    this.machine = machine;
  }

  /** Whether this process has written the store. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Registers this process as a writer of the store until it closes. Call before the first write transaction. @throws StoreError */
  register(): void {
    explained(this.#path, () => this.#register());
  }

  /** Columns that name this host as an owner. Registers it first. @throws StoreError */
  owner(): { ownerPid: number; ownerHost: string; ownerToken: string } {
    this.register();
    return { ownerPid: this.pid, ownerHost: this.machine, ownerToken: this.token };
  }

  #register(): void {
    if (this.#registered) return;
    try {
      // An earlier attempt may have failed after taking the lock.
      this.#lock ??= new HostLock(this.#lockOf(this.token));
    } catch (error) {
      // Other processes then rely on its pid and beats.
      this.#log.warn(`store: the lock that shows other processes that this one is alive could not be taken: ${messageOf(error)}`);
    }
    this.#db.prepare("INSERT INTO hosts (token, pid, host) VALUES (?, ?, ?)").run(this.token, this.pid, this.machine);
    this.#registered = true;
  }

  beat(): void {
    if (this.#registered) this.#db.prepare("UPDATE hosts SET beats = beats + 1 WHERE token = ?").run(this.token);
  }

  /** Checks every owner of an active run or study. Null when none has ended. */
  poll(): IsGone | null {
    const found = this.#db.prepare<[], SeenOwner>(owners).all();
    const before = this.#seen;
    this.#seen = new Map(
      found.flatMap(({ token, beats, heartbeatAt }) => {
        if (token === null) return [];
        const count = beats ?? heartbeatAt ?? 0;
        const last = before.get(token);
        return [[token, { count, polls: last?.count === count ? last.polls + 1 : 0 }]];
      }),
    );
    const gone = new Set(found.filter((owner) => !this.#lives(owner)).map(keyOf));
    return gone.size === 0 ? null : (owner) => gone.has(keyOf(owner));
  }

  /** Whether an owner may be alive. One on another machine is, until `silentPolls` polls found no beat. */
  #lives({ token, pid, host, beats }: SeenOwner): boolean {
    if (token === this.token) return true;
    if (token === null || pid === null) return false;
    if (isLocked(this.#lockOf(token))) return true;
    if (host !== this.machine) return (this.#seen.get(token)?.polls ?? 0) < silentPolls;
    // An owner without beats is of a version without locks.
    return beats === null && pid !== this.pid && isProcessAlive(pid);
  }

  /**
   * Removes processes of this machine that ended without closing the store. Call after marking their runs.
   * Returns their number.
   */
  removeEnded(): number {
    const ended = this.#db
      .prepare<[string, string], string>("SELECT token FROM hosts WHERE host = ? AND token <> ?")
      .pluck()
      .all(this.machine, this.token)
      .filter((token) => !isLocked(this.#lockOf(token)));
    const remove = this.#db.prepare("DELETE FROM hosts WHERE token = ?");
    for (const token of ended) remove.run(token);
    return ended.length;
  }

  /** Removes this host; other processes may take its leases. */
  close(): void {
    if (!this.#registered) return;
    try {
      // Before releasing the lock: a row without a lock means a process that did not close.
      this.#db.prepare("DELETE FROM hosts WHERE token = ?").run(this.token);
    } catch (error) {
      // Everything else is committed. The next host takes this one for crashed and has the store checked.
      this.#log.warn(`store: the end of this process could not be noted: ${messageOf(explain(error, this.#path))}`);
    } finally {
      this.#lock?.release();
    }
  }

  #lockOf(token: string): string {
    return join(this.#folder, `${token}.lock`);
  }
}
