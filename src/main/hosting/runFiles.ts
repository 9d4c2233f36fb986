/**
 * A folder beside the store with files of its runs, `RUN.*`. The host writes what a trainer sends as
 * `RUN.LEASE-STEP.pending`, and puts it in place once what it belongs to is in the store.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A run as one of those who took it trained it. */
export interface LeasedRun {
  readonly run: string;
  /** How often the run had been taken then. */
  readonly lease: number;
}

export class RunFiles {
  readonly path: string;

  constructor(storeFolder: string, name: string) {
    this.path = join(storeFolder, name);
  }

  /** Where the file of a step is written before it counts. The files of two leases on one run have two names. */
  pendingFileOf({ run, lease }: LeasedRun, step: number): string {
    return join(this.path, `${run}.${lease}-${step}.pending`);
  }

  /** Makes sure that files can be written here. */
  prepare(): void {
    mkdirSync(this.path, { recursive: true });
  }

  /** Removes the file of a step that does not count. */
  discard(run: LeasedRun, step: number): void {
    rmSync(this.pendingFileOf(run, step), { force: true });
  }

  /** Removes what trainers that are gone have left behind, and with `all` everything of the run. */
  clean(run: string, all: boolean): void {
    for (const name of this.names()) {
      if (name.startsWith(`${run}.`) && (all || name.endsWith(".pending"))) rmSync(join(this.path, name), { force: true });
    }
  }

  protected names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}
