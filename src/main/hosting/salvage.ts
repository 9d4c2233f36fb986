/** Saves what is readable of a damaged store into a new one, run by run. The damaged store is only read. */
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { requireOwner } from "../../core/checkpoint/owner.ts";
import { readCheckpointHeader } from "../../core/checkpoint/file.ts";
import { factsOf } from "../../core/networks/facts.ts";
import { decodeNetwork } from "../../core/networks/file.ts";
import { networksFolder, readNetworkFile } from "../../core/networks/folder.ts";
import { networkFilesIn, placeNetwork, writePending } from "../../core/networks/stored.ts";
import { storeFileName } from "../store/database.ts";
import { StoreError } from "../store/errors.ts";
import { networksIn } from "../store/networks.ts";
import { Receiver } from "../store/receiver.ts";
import { attempt, DamagedStore } from "../store/salvage/damagedStore.ts";
import { SalvagedRun } from "../store/salvage/salvagedRun.ts";
import { workingCopy } from "../store/salvage/workingCopy.ts";
import type { Salvaged, SalvageReport } from "../store/verify/findings.ts";
import { headerOf } from "./runFiles.ts";
import { requireSound, runFilesOf } from "./verify.ts";

export interface SalvageOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * @param from folder of the damaged store
 * @param into folder of the new store, which must not hold one
 * @throws StoreError when nothing can be read or the new store cannot be written
 */
export async function salvageStore(from: string, into: string, { onProgress }: SalvageOptions = {}): Promise<SalvageReport> {
  const source = resolve(from);
  const target = resolve(into);
  const path = join(source, storeFileName);
  if (!existsSync(path) && !existsSync(`${path}-wal`)) throw new StoreError(path, `There is no store in ${source}. Name the folder of the damaged store.`);
  if (existsSync(join(target, storeFileName))) throw new StoreError(target, `${target} already holds a store. Choose an empty or a new folder.`);
  const copy = opened(source, target, path);
  try {
    const damaged = new DamagedStore(copy.db);
    // A damaged page of the log may hold what was whole before.
    const earlier = copy.hasDamagedLog ? attempt(() => workingCopy(source, join(target, `.salvage-${process.pid}-earlier`), false)) : undefined;
    const stores = earlier ? [damaged, new DamagedStore(earlier.db)] : [damaged];
    const receiver = new Receiver(target, undefined, true);
    try {
      const studies = damaged.studyIds().map((id) => saveStudy(damaged, receiver, id));
      const ids = damaged.runIds();
      const runs = ids.map((id, index) => {
        const saved = saveRun(stores, receiver, id, source);
        onProgress?.(index + 1, ids.length);
        return saved;
      });
      await saveNetworks(copy.db, source, target, receiver);
      const files = await saveFiles(source, target, receiver);
      return { from: source, into: target, runs, studies, files, repairs: copy.repairs };
    } finally {
      receiver.close();
      earlier?.close();
    }
  } finally {
    copy.close();
  }
}

function opened(source: string, target: string, path: string): ReturnType<typeof workingCopy> {
  try {
    mkdirSync(target, { recursive: true });
    return workingCopy(source, join(target, `.salvage-${process.pid}`));
  } catch (error) {
    // Only an empty folder is removed.
    attempt(() => rmdirSync(target));
    throw new StoreError(path, `Nothing of ${path} could be salvaged: ${messageOf(error)}. It is unchanged.`, { cause: error });
  }
}

function lost(id: string, why: string): Salvaged {
  return { id, name: id, outcome: "lost", steps: 0, evaluations: 0, events: 0, losses: [why] };
}

function saveStudy(damaged: DamagedStore, receiver: Receiver, id: string): Salvaged {
  const found = damaged.study(id);
  if (!found) return lost(id, "its description cannot be read; its runs are saved as single runs");
  const { runningSince: _since, ...study } = found.study;
  const { status } = study;
  const ended = status === "running" || status === "paused" ? { status: "interrupted" as const, reason: "It was being trained when its store was damaged." } : { status };
  try {
    receiver.receive({ studies: [{ ...study, ...ended }], runs: [] }, () => undefined);
  } catch (error) {
    return lost(id, messageOf(error));
  }
  const losses = found.matches === false ? ["its description does not match its checksum: its settings may be wrong"] : [];
  return { id, name: study.name, outcome: losses.length > 0 ? "part" : "whole", steps: 0, evaluations: 0, events: 0, losses };
}

/** @param stores readings of the damaged store, the latest first */
function saveRun(stores: readonly DamagedStore[], receiver: Receiver, id: string, from: string): Salvaged {
  const imported = stores.map((store) => store.run(id)?.summary.imported).find((known) => known !== undefined);
  if (imported) return lost(id, `it was imported; import ${imported.path} again`);
  const readings = stores.flatMap((store) => {
    const found = store.run(id);
    if (!found) return [];
    const { study } = found.summary;
    return attempt(() => new SalvagedRun(store, found, study !== null && found.cell !== null && receiver.hasStudy(study), from)) ?? [];
  });
  const run = readings.length > 1 ? (readings.find(isWhole) ?? readings[0]) : readings[0];
  if (!run) return lost(id, "its description cannot be read");
  try {
    receiver.receive({ studies: [], runs: [run] }, () => undefined);
    return run.result();
  } catch (error) {
    return lost(id, messageOf(error));
  }
}

/** Reads all steps and summaries to see. */
function isWhole(run: SalvagedRun): boolean {
  for (const rows of run.steps()) void rows;
  for (const bucket of run.kept()) void bucket;
  return run.losses.length === 0;
}

/** Copies the sound files of imported networks, with their names where these can be read. */
async function saveNetworks(db: Parameters<typeof networksIn>[0], source: string, target: string, receiver: Receiver): Promise<void> {
  const names = new Map(attempt(() => networksIn(db, source))?.map(({ hash, name }) => [hash, name]));
  for (const hash of networkFilesIn(source)) {
    try {
      const bytes = await readNetworkFile(networksFolder(source), hash);
      const read = decodeNetwork(bytes);
      const name = names.get(hash) ?? hash.slice(0, 12);
      const { name: exporter, version } = read.description.producer;
      const row = { hash, name, source, producer: `${exporter} ${version}`.trim(), bytes: bytes.length, createdAt: Date.now(), facts: factsOf(name, read) };
      const pending = writePending(target, hash, [bytes]);
      receiver.receive({ studies: [], runs: [], networks: [row] }, () => placeNetwork(target, hash, pending));
    } catch {
      // A damaged network is left behind; runs that train it are saved all the same.
    }
  }
}

/** Copies the sound checkpoints and weights of saved runs. */
async function saveFiles(source: string, target: string, receiver: Receiver): Promise<SalvageReport["files"]> {
  const damaged: string[] = [];
  let copied = 0;
  for (const file of await runFilesOf(source)) {
    try {
      const run = receiver.runs.get(file.run);
      if (!run) throw new Error("its run is lost");
      requireOwner(await requireSound(file), run);
      if (file.part === "checkpoint") {
        const { position } = (await headerOf(file.path, readCheckpointHeader)).header;
        if (position.step > run.steps) throw new Error(`it is at step ${position.step}, but only ${run.steps} steps were saved`);
      }
      const to = join(target, basename(dirname(file.path)), basename(file.path));
      mkdirSync(dirname(to), { recursive: true });
      await copyFile(file.path, `${to}.part`);
      await rename(`${to}.part`, to);
      copied++;
    } catch (error) {
      damaged.push(`${file.path}: ${messageOf(error)}`);
    }
  }
  return { copied, damaged };
}
