/** The storage service: notices, health, space, backups and erasing of the open store. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Handlers } from "../../../shared/contract.ts";
import { formatBytes } from "../../../shared/format.ts";
import { isActive, type Resumption } from "../../../shared/run.ts";
import type { Erasure, StorageNotices, storageRequests } from "../../../shared/storage.ts";
import { plural } from "../../../shared/text.ts";
import { networkFile, networksFolder } from "../../../core/networks/folder.ts";
import { BackupFolder } from "../../store/backup/folder.ts";
import { cancelRestore, requestedRestore, requestRestore } from "../../store/backup/restore.ts";
import type { BackupSchedule } from "../../store/backup/schedule.ts";
import { DiskWatch } from "../../store/diskWatch.ts";
import { inspection, inspectStore, inspectWhole, type Inspection } from "../../store/inspection.ts";
import type { Log } from "../../store/log.ts";
import type { Store } from "../../store/store.ts";
import type { LaunchTask, StoreTask } from "../../store/task.ts";
import { requestedMove } from "../../archives/moveNext.ts";
import { mergeInBackground, moveAtNextStart } from "../archives.ts";
import { examine } from "../doctor/examine.ts";
import { UserError } from "../services.ts";
import { runFiles } from "./files.ts";
import { storageReport } from "./report.ts";
import { Thinning } from "./thinning.ts";

export interface StorageOptions {
  readonly store: Store;
  readonly log: Log;
  /** Undefined where no processes are started: tests and commands. */
  readonly launch: LaunchTask | undefined;
  readonly backups: BackupSchedule | undefined;
  /** Whether runs are trained here. */
  readonly isBusy: () => boolean;
  /** Where an ended run would resume; null for one that cannot. */
  readonly resumption: (run: string) => Promise<Resumption | null>;
  readonly onThinned: (run: string) => void;
  readonly onNotices: (notices: StorageNotices) => void;
  readonly onChange: () => void;
}

type StorageHandlers = Pick<Handlers, keyof typeof storageRequests>;

/** Unused bytes from which on erasing is followed by a vacuum. */
const worthVacuum = 8e6;

export class Storage {
  readonly #options: StorageOptions;
  readonly #file: string;
  readonly #disk: DiskWatch;
  readonly #thinning: Thinning;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: StorageOptions) {
    this.#options = options;
    this.#file = options.store.path;
    this.#disk = new DiskWatch(this.#file, (warning) => {
      if (warning !== null) options.log.warn(warning);
      options.onNotices(this.#notices());
    });
    this.#disk.poll();
    this.#thinning = new Thinning({ store: options.store, resumption: options.resumption, onThinned: options.onThinned, inspect: () => this.#inspect(false) });
    // What an erasing that was interrupted has left.
    this.#sweep();
  }

  handlers(): StorageHandlers {
    return {
      "storage.notices": () => this.#notices(),
      "storage.report": async () => storageReport(this.#file, await this.#inspect(false)),
      "storage.check": async () => examine(this.#file, await this.#inspect(true), true),
      "storage.acknowledgeLoss": () => {
        this.#options.store.acknowledgeLoss();
        return this.#noticed();
      },
      "storage.backUp": () => this.#backUp(),
      "storage.saveSettings": ({ settings }) => {
        new BackupFolder(this.#file).saveSettings(settings);
        this.#options.onChange();
        return settings;
      },
      "storage.restore": ({ backup }) => {
        if (backup === null) cancelRestore(this.#file);
        else if (this.#options.isBusy()) throw new UserError("Runs are being trained; stop them before a backup is restored.");
        else requestRestore(this.#file, backup);
        return this.#noticed();
      },
      "storage.merge": async ({ path }) => {
        this.#options.store.flush();
        const remarks = await mergeInBackground(path, dirname(this.#file));
        this.#options.onChange();
        return { remarks };
      },
      "storage.move": ({ path, removeOld }) => {
        moveAtNextStart(dirname(this.#file), path, removeOld);
        return this.#noticed();
      },
      "storage.erase": async ({ erasure }) => ({ done: await this.#erase(erasure) }),
      "storage.planThinning": ({ runs, width }) => this.#thinning.plan(runs, width),
      "storage.vacuum": async () => ({ done: await this.#run({ task: "vacuum", file: this.#file }) }),
    };
  }

  /** A backup was made by itself, or not. */
  backedUp(): void {
    this.#noticed();
    this.#options.onChange();
  }

  /** Resolves when the values of erased and thinned runs are deleted and their space was given back. */
  settled(): Promise<void> {
    return this.#sweeping;
  }

  close(): void {
    this.#disk.close();
  }

  #notices(): StorageNotices {
    const next = requestedMove(dirname(this.#file));
    const move = next && { folder: next.folder, problem: next.problem };
    return { loss: this.#options.store.loss, space: this.#disk.warning, backup: this.#options.backups?.problem ?? null, restore: requestedRestore(this.#file), move };
  }

  #noticed(): StorageNotices {
    const notices = this.#notices();
    this.#options.onNotices(notices);
    return notices;
  }

  async #inspect(check: boolean): Promise<Inspection> {
    if (!this.#options.launch) return check ? inspectWhole(this.#file) : inspectStore(this.#file, false);
    return inspection.parse(JSON.parse(await this.#run({ task: "inspect", file: this.#file, check })));
  }

  /** @throws UserError with the reason where the work was not done */
  async #run(task: StoreTask): Promise<string> {
    if (!this.#options.launch) throw new UserError("This process starts no other processes.");
    const result = await this.#options.launch(task);
    if ("done" in result) return result.done;
    throw new UserError("skipped" in result ? result.skipped : `It failed: ${result.failed}`);
  }

  async #backUp() {
    const name = await this.#run({ task: "backup", file: this.#file, reason: "manual" });
    this.#options.onChange();
    return new BackupFolder(this.#file).list().find((backup) => backup.name === name)!;
  }

  async #erase(erasure: Erasure): Promise<string> {
    try {
      switch (erasure.what) {
        case "bin":
          return await this.#eraseBin(erasure.runs, erasure.studies);
        case "checkpoints":
        case "weights":
          return await this.#eraseFiles(erasure.what, erasure.runs);
        case "steps": {
          const done = await this.#thinning.thin(erasure.runs, erasure.width);
          this.#sweep();
          return done;
        }
        case "networks":
          return this.#eraseNetworks(erasure.hashes);
        case "backups":
          return this.#eraseBackups(erasure.names);
      }
    } finally {
      this.#options.onChange();
    }
  }

  async #eraseBin(runCount: number, studyCount: number): Promise<string> {
    const { store } = this.#options;
    const runs = store.listRuns(true).map(({ id }) => id);
    const studies = store.studies.list(true).map(({ id }) => id);
    if (runs.length !== runCount || studies.length !== studyCount) {
      throw new UserError(`The bin has changed: it holds ${plural(runs.length, "run")} and ${plural(studies.length, "study", "studies")} now. Nothing was erased; look at it again.`);
    }
    const erased = store.eraser.erase(runs, studies);
    await this.#removeFiles("checkpoints", runs);
    await this.#removeFiles("weights", runs);
    this.#sweep();
    return `Erased ${plural(erased.runs, "run")} with ${plural(erased.steps, "step")}${erased.studies > 0 ? ` and ${plural(erased.studies, "study", "studies")}` : ""} for good.`;
  }

  async #eraseFiles(what: "checkpoints" | "weights", runs: readonly string[]): Promise<string> {
    for (const run of runs) {
      const found = this.#options.store.getRun(run);
      if (found && isActive(found.status)) throw new UserError(`Run ${found.name} (${run}) is ${found.status}; nothing was erased. Stop it first.`);
    }
    const { count, bytes } = await this.#removeFiles(what, runs);
    return `Erased ${plural(count, what === "checkpoints" ? "checkpoint" : "file of weights", what === "checkpoints" ? "checkpoints" : "files of weights")} (${formatBytes(bytes)}) for good.`;
  }

  async #removeFiles(what: "checkpoints" | "weights", runs: readonly string[]): Promise<{ count: number; bytes: number }> {
    const wanted = new Set(runs);
    const files = (await runFiles(join(dirname(this.#file), what), what === "checkpoints" ? ".checkpoint" : ".weights")).filter(({ run }) => wanted.has(run));
    for (const { path } of files) rmSync(path, { force: true });
    return { count: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** Refuses all where one is in use: the person has confirmed them together. */
  #eraseNetworks(hashes: readonly string[]): string {
    const { networks } = this.#options.store;
    const wanted = [...new Set(hashes)].map((hash) => {
      const found = networks.get(hash);
      if (!found) throw new UserError(`There is no network ${hash.slice(0, 12)} in this store. Nothing was erased.`);
      const { runs, studies } = networks.usedBy(hash);
      if (runs + studies > 0) throw new UserError(`The network ${found.name} is used by now (${plural(runs, "run")}, ${plural(studies, "study", "studies")}). Nothing was erased.`);
      return found;
    });
    for (const network of wanted) networks.remove(network, () => rmSync(networkFile(networksFolder(dirname(this.#file)), network.hash), { force: true }));
    return `Erased ${plural(wanted.length, "imported network")} (${formatBytes(wanted.reduce((sum, { bytes }) => sum + bytes, 0))}) for good.`;
  }

  #eraseBackups(names: readonly string[]): string {
    const folder = new BackupFolder(this.#file);
    const wanted = folder.list().filter(({ name }) => names.includes(name));
    const unknown = names.find((name) => !wanted.some((backup) => backup.name === name));
    if (unknown !== undefined) throw new UserError(`There is no backup ${unknown}. Nothing was erased.`);
    for (const { name } of wanted) folder.remove(name);
    return `Erased ${plural(wanted.length, "backup")} (${formatBytes(wanted.reduce((sum, { bytes }) => sum + bytes, 0))}) for good.`;
  }

  /** Deletes the values of erased and thinned runs in the background, then gives their space back. */
  #sweep(): void {
    const { store, launch, log, onChange } = this.#options;
    this.#sweeping = Promise.all([store.eraser.rest(), store.thinner.rest()])
      .then(async ([erased, thinned]) => {
        const removed = erased || thinned;
        if (!removed || !launch || store.unusedBytes() < worthVacuum) return;
        const result = await launch({ task: "vacuum", file: this.#file });
        if ("failed" in result) log.warn(`store: the space of erased values was not given back: ${result.failed}`);
        onChange();
      })
      .catch((error: unknown) => log.error("store: the values of erased or thinned runs were not deleted; the next start goes on", error));
  }
}
