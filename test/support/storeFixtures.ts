/** A new store folder per test, and runs for it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import type { Environment, RunSummary } from "../../src/shared/run.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import type { Log } from "../../src/main/store/log.ts";
import { Store, type StoreOptions } from "../../src/main/store/store.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RecordedLog extends Log {
  readonly warnings: string[];
  readonly errors: string[];
}

export function recordedLog(): RecordedLog {
  const warnings: string[] = [];
  const errors: string[] = [];
  return { warnings, errors, warn: (text) => warnings.push(text), error: (text) => errors.push(text) };
}

/** A store that is closed after the test, if it is still open. */
export function openStore(folder = freshFolder(), options: StoreOptions = {}): Store & { closeNow(): void } {
  const store = new Store(folder, { log: recordedLog(), ...options });
  let open = true;
  const closeNow = () => {
    if (!open) return;
    open = false;
    store.close();
  };
  onTestFinished(closeNow);
  return Object.assign(store, { closeNow });
}

export function aRun(input: ExperimentInput = {}, changes: Partial<RunSummary> = {}): RunSummary {
  return { ...newRun(experiment.parse(input)), ...changes };
}

export const anEnvironment: Environment = {
  hypertower: "0.0.0",
  node: "24",
  platform: "test",
  cpu: "test",
  libraries: { "onnxruntime-node": "1" },
  gitCommit: null,
};

/** Rows of one or more metrics, each a list of values, from `firstStep` on. */
export function rowsOf(columns: readonly (readonly number[])[], firstStep = 0) {
  const count = columns[0]?.length ?? 0;
  const values = new Float64Array(count * columns.length);
  columns.forEach((column, c) => column.forEach((value, row) => (values[row * columns.length + c] = value)));
  return { firstStep, count, values };
}

/** A closed store with a run of 20,000 steps. */
export function filledStore(): { folder: string; file: string } {
  const folder = freshFolder();
  const store = openStore(folder);
  const run = aRun({ name: "kept" });
  store.createRun(run);
  store.beginSeries(run.id, ["loss"], anEnvironment);
  store.appendRows(run.id, rowsOf([Array.from({ length: 20_000 }, (_, i) => Math.sin(i))]));
  store.saveRun({ ...run, status: "finished" });
  store.closeNow();
  return { folder, file: join(folder, storeFileName) };
}
