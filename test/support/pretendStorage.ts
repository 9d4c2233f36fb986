/** Storage of services that keep nothing on a disk. */
import { backupSettings, type BackupInfo } from "../../src/shared/backups.ts";
import type { Handlers } from "../../src/shared/contract.ts";
import type { storageRequests, StorageNotices, StorageReport } from "../../src/shared/storage.ts";

const megabyte = 1e6;

export const aBackup = (changes: Partial<BackupInfo> = {}): BackupInfo => ({
  name: "20260101T120000000Z-daily.sqlite", at: Date.UTC(2026, 0, 1, 12), reason: "daily", bytes: 90 * megabyte, runs: 40, steps: 1_200_000, checkpoints: 2, ...changes,
});

export function aReport(changes: Partial<StorageReport> = {}): StorageReport {
  return {
    folder: "/home/someone/hypertower",
    free: 180_000 * megabyte,
    total: 500_000 * megabyte,
    bytes: { log: 400 * megabyte, unused: 20 * megabyte, checkpoints: 60 * megabyte, weights: 80 * megabyte, networks: 24 * megabyte, datasets: 300 * megabyte, backups: 180 * megabyte, setAside: 0, bin: 35 * megabyte },
    bin: { runs: 3, studies: 1, steps: 42_000 },
    unusedNetworks: [
      { hash: "a".repeat(64), name: "resnet18", bytes: 12 * megabyte },
      { hash: "b".repeat(64), name: "old vit", bytes: 3 * megabyte },
    ],
    resumable: 2,
    largest: [
      { run: "run1", name: "A long run", status: "stopped", inBin: false, steps: 900_000, log: 250 * megabyte, checkpoint: 40 * megabyte, weights: 20 * megabyte, thinnedTo: null },
      { run: "run2", name: "Another", status: "finished", inBin: false, steps: 30_000, log: 9 * megabyte, checkpoint: 0, weights: 20 * megabyte, thinnedTo: null },
    ],
    backups: [aBackup(), aBackup({ name: "20251231T120000000Z-manual.sqlite", at: Date.UTC(2025, 11, 31, 12), reason: "manual" })],
    settings: backupSettings.parse({}),
    ...changes,
  };
}

export const noNotices: StorageNotices = { loss: null, space: null, backup: null, restore: null, move: null };

export const pretendStorage: Pick<Handlers, keyof typeof storageRequests> = {
  "storage.notices": () => noNotices,
  "storage.report": () => aReport(),
  "storage.check": () => ({ at: Date.now(), findings: [] }),
  "storage.acknowledgeLoss": () => noNotices,
  "storage.backUp": () => aBackup({ reason: "manual" }),
  "storage.saveSettings": ({ settings }) => settings,
  "storage.restore": ({ backup }) => ({ ...noNotices, restore: backup }),
  "storage.erase": () => ({ done: "Erased nothing." }),
  "storage.merge": () => ({ remarks: ["There was nothing to merge."] }),
  "storage.move": ({ path }) => ({ ...noNotices, move: path === null ? null : { folder: path, problem: null } }),
  "storage.planThinning": ({ runs, width }) => ({ width, runs: runs.map((run) => ({ run, name: run, steps: 1_000, values: 2_000, bytes: 40_000 })), values: 2_000 * runs.length, bytes: 40_000 * runs.length }),
  "storage.vacuum": () => ({ done: "There is no unused space in the store's file." }),
};
