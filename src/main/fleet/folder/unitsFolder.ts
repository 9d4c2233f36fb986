/** The coordinator's side of a shared folder: keeps units there, and reads what their workers hand in. */
import { randomBytes } from "node:crypto";
import { copyFile, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import { networkFile } from "../../../core/networks/folder.ts";
import { syncFile } from "../../../core/durable/files.ts";
import { syncFolder } from "../../../core/durable/folders.ts";
import type { z } from "zod";
import { FleetError, type CheckpointRef, type SegmentRef, type UnitPackage, type UnitSteering } from "../fleet.ts";
import { attempted, changedAt, ensureFolder, isThere, namesIn, readJson, timeAt, writeWhole } from "./files.ts";
import { attemptEnd, attemptName, attemptWorker, checkpointName, formatFile, layoutFormat, parseCheckpointName, parseSegmentName, segmentName, steeringFile, UnitPaths } from "./layout.ts";

/** What is known of a unit from its files. */
export interface UnitFiles {
  readonly isThere: boolean;
  /** Attempts begun. */
  readonly attempts: number;
  /** Attempts that were lost or failed since the unit was last given another chance; those that were left do not count. */
  readonly failures: number;
  /** Worker of the newest attempt. */
  readonly worker: z.infer<typeof attemptWorker> | null;
  /** How the newest attempt ended; null where it has not. */
  readonly end: z.infer<typeof attemptEnd> | null;
  /** Why it was canceled; null where it was not. */
  readonly canceled: string | null;
  /** Why it was set aside; null where it was not. */
  readonly failed: string | null;
}

const noFiles: UnitFiles = { isThere: false, attempts: 0, failures: 0, worker: null, end: null, canceled: null, failed: null };

export class UnitsFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  paths(unit: string): UnitPaths {
    return UnitPaths.of(this.root, unit);
  }

  /** Makes the folder's parts. @throws FleetError where it cannot be used, or is of another version */
  async open(): Promise<void> {
    if (!isAbsolute(this.root)) throw new FleetError(`The shared folder ${this.root} must be an absolute path: it has the same name on every machine.`, { retry: false });
    await attempted(`The shared folder ${this.root} cannot be used`, async () => {
      for (const name of ["units", "networks", "waiting", "taken", "workers", "draining"]) await ensureFolder(join(this.root, name));
      const format = join(this.root, "format.json");
      if (!(await isThere(format))) await writeWhole(format, `${JSON.stringify({ hypertowerFleet: layoutFormat })}\n`);
      const found = await readJson(format, formatFile);
      if (found?.hypertowerFleet !== layoutFormat) throw new FleetError(`The folder ${this.root} is of another version of Hypertower (format ${found?.hypertowerFleet ?? "unknown"}, this one reads ${layoutFormat}): name another folder.`, { retry: false });
    });
  }

  /** Keeps a unit durably; one that is there is left as it is. @returns whether it was not there @throws FleetError */
  async add({ unit, files }: UnitPackage): Promise<boolean> {
    const paths = this.paths(unit.id);
    return attempted(`The unit ${unit.id} could not be put into ${this.root}`, async () => {
      if (await isThere(paths.root)) return false;
      // It appears whole, by renaming its folder.
      const staged = new UnitPaths(join(this.root, "units", `.part-${unit.id}-${randomBytes(4).toString("hex")}`), unit.id);
      try {
        for (const folder of staged.folders) await ensureFolder(staged.at(folder));
        for (const file of files) {
          if (file.kind === "network") await this.#addNetwork(file.name, file.path);
          else {
            await copyFile(file.path, staged.at("start", basename(file.name)));
            syncFile(staged.at("start", basename(file.name)));
          }
        }
        await writeWhole(staged.at("unit.json"), JSON.stringify(unit));
        await rename(staged.root, paths.root);
        await syncFolder(join(this.root, "units"));
        return true;
      } catch (error) {
        await rm(staged.root, { recursive: true, force: true }).catch(() => undefined);
        // Another process of the same coordinator put it there.
        if (!(await isThere(paths.root))) throw error;
        return false;
      }
    });
  }

  async #addNetwork(hash: string, path: string): Promise<void> {
    const target = networkFile(join(this.root, "networks"), hash);
    if (!(await isThere(target))) await writeWhole(target, await readFile(path));
  }

  /** @throws FleetError */
  async look(unit: string): Promise<UnitFiles> {
    const paths = this.paths(unit);
    return attempted(`The unit ${unit} in ${this.root} cannot be looked at`, async () => {
      const names = new Set(await namesIn(paths.root));
      if (!names.has("unit.json")) return noFiles;
      const attempts = newest(await namesIn(paths.at("attempts")));
      const base = names.has("retried") ? Number(await readFile(paths.at("retried"), "utf8")) || 0 : 0;
      return {
        isThere: true,
        attempts,
        failures: attempts - base <= 1 ? attempts - base : await this.#failures(paths, base, attempts),
        worker: attempts === 0 ? null : ((await readJson(paths.at("attempts", attemptName(attempts), "worker.json"), attemptWorker)) ?? null),
        end: attempts === 0 ? null : ((await readJson(paths.at("end", `${attemptName(attempts)}.json`), attemptEnd)) ?? null),
        canceled: names.has("canceled") ? await readFile(paths.at("canceled"), "utf8") : null,
        failed: names.has("failed") ? await readFile(paths.at("failed"), "utf8") : null,
      };
    });
  }

  async #failures(paths: UnitPaths, base: number, attempts: number): Promise<number> {
    let failures = 0;
    for (let attempt = base + 1; attempt <= attempts; attempt++) {
      const end = await readJson(paths.at("end", `${attemptName(attempt)}.json`), attemptEnd);
      if (end?.outcome !== "left") failures++;
    }
    return failures;
  }

  /** What was handed in and not taken in, in order of attempt and sequence. @throws FleetError */
  async handedIn(unit: string): Promise<{ readonly segments: SegmentRef[]; readonly checkpoints: CheckpointRef[] }> {
    const paths = this.paths(unit);
    return attempted(`What the unit ${unit} has handed in to ${this.root} cannot be read`, async () => {
      const checkpoints = new Map<string, CheckpointRef>();
      for (const { size, ...found } of await this.#checkpoints(paths)) checkpoints.set(found.run, { unit, ...found, size });
      // Read after the checkpoints, so that the segments before each are among them.
      const segments = (await namesIn(paths.at("segments")))
        .flatMap((name) => parseSegmentName(name) ?? [])
        .sort((a, b) => a.attempt - b.attempt || a.sequence - b.sequence)
        .map((segment) => ({ unit, ...segment }));
      return { segments, checkpoints: [...checkpoints.values()] };
    });
  }

  /** Checkpoints, older ones first. */
  async #checkpoints(paths: UnitPaths): Promise<Omit<CheckpointRef, "unit">[]> {
    const found: Omit<CheckpointRef, "unit">[] = [];
    for (const name of await namesIn(paths.at("checkpoints"))) {
      const parsed = parseCheckpointName(name);
      // One that a newer has replaced meanwhile is gone.
      const size = parsed && (await stat(paths.at("checkpoints", name)).then(({ size: bytes }) => bytes, () => undefined));
      if (parsed && size !== undefined) found.push({ ...parsed, size });
    }
    return found.sort((a, b) => a.attempt - b.attempt || a.sequence - b.sequence || a.step - b.step);
  }

  /** @throws FleetError */
  read({ unit, ...segment }: SegmentRef): Promise<Uint8Array> {
    return attempted(`A segment of the unit ${unit} cannot be read`, () => readFile(this.paths(unit).at("segments", segmentName(segment))));
  }

  /** @throws FleetError */
  readCheckpoint({ unit, ...checkpoint }: CheckpointRef): Promise<Uint8Array> {
    return attempted(`A checkpoint of the unit ${unit} cannot be read`, () => readFile(this.paths(unit).at("checkpoints", checkpointName(checkpoint))));
  }

  /** @throws FleetError */
  async taken(segments: readonly SegmentRef[]): Promise<void> {
    for (const segment of segments) await attempted(`A segment of the unit ${segment.unit} cannot be deleted`, () => rm(this.paths(segment.unit).at("segments", segmentName(segment)), { force: true }));
  }

  /** @throws FleetError */
  async steer(unit: string, steering: UnitSteering): Promise<void> {
    const paths = this.paths(unit);
    await attempted(`The unit ${unit} could not be told to ${steering.type}`, async () => {
      const next = Math.max(-1, ...(await namesIn(paths.at("steering"))).map((name) => Number.parseInt(name, 10)).filter(Number.isFinite)) + 1;
      await writeWhole(paths.at("steering", `${String(next).padStart(8, "0")}.json`), JSON.stringify(steeringFile.parse(steering)));
    });
  }

  /** Marks a unit, durably. @throws FleetError */
  async mark(unit: string, name: "canceled" | "failed", reason: string): Promise<void> {
    await attempted(`The unit ${unit} could not be marked as ${name}`, async () => {
      if (await isThere(this.paths(unit).root)) await writeWhole(this.paths(unit).at(name), reason);
    });
  }

  /** @throws FleetError */
  async unmark(unit: string): Promise<void> {
    await attempted(`The unit ${unit} could not be tried again`, async () => {
      const paths = this.paths(unit);
      await writeWhole(paths.at("retried"), String(newest(await namesIn(paths.at("attempts")))));
      for (const name of ["canceled", "failed"]) await rm(paths.at(name), { force: true });
    });
  }

  /** @throws FleetError */
  async forget(unit: string): Promise<void> {
    await attempted(`The unit ${unit} could not be removed from ${this.root}`, async () => {
      // A worker that still writes finds nothing to write into.
      const gone = join(this.root, "units", `.part-gone-${unit}-${randomBytes(3).toString("hex")}`);
      await rename(this.paths(unit).root, gone).then(() => rm(gone, { recursive: true, force: true }), (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    });
  }

  /** Milliseconds since the unit's worker gave a sign of life; null where there was none. @param now time of the file server */
  async silence(unit: string, now: number): Promise<number | null> {
    const seen = await attempted(`The unit ${unit} in ${this.root} cannot be looked at`, () => changedAt(this.paths(unit).at("alive")));
    return seen === null ? null : Math.max(0, now - seen);
  }

  /** The file server's time. @throws FleetError */
  now(): Promise<number> {
    return attempted(`The shared folder ${this.root} cannot be used`, () => timeAt(join(this.root, "waiting")));
  }

  /** Bytes that are free; null where the system does not tell. */
  async free(): Promise<number | null> {
    return statfs(this.root).then(({ bavail, bsize }) => bavail * bsize, () => null);
  }
}

/** Number of the newest attempt; 0 for none. */
export function newest(names: readonly string[]): number {
  return Math.max(0, ...names.map(Number).filter(Number.isSafeInteger));
}
