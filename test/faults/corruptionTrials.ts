/** Changes a byte of a store's file, or cuts it off, and sees what a check and a salvage make of it. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/shared/errors.ts";
import { salvageStore } from "../../src/main/hosting/salvage.ts";
import { verifyStore } from "../../src/main/hosting/verify.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { copyStore, fillStore, filesIn, readLogged, type Logged } from "./corruptibleStore.ts";
import { randomOf } from "./random.ts";

export type Target = "database" | "log" | "checkpoint" | "weights" | "dataset";

export interface Trial {
  readonly fault: "flip" | "cut";
  readonly target: Target;
  readonly file: string;
  readonly at: number;
  readonly was: number;
  readonly now: number;
  /** Whether the check found anything. */
  readonly seen: boolean;
  /** Whether plain SQL reads other values than were logged, or fewer. */
  readonly changed: boolean;
  /** Runs that plain SQL reads without an error, of which the salvage lost any value that is as it was logged. */
  readonly unsaved: readonly string[];
  readonly salvaged: "whole" | "part" | "nothing";
  /** What must not happen. */
  readonly failures: readonly string[];
}

export interface CorruptionOptions {
  readonly flips: number;
  readonly cuts: number;
  readonly seed: number;
  readonly steps?: number;
  readonly onTrial?: (trial: Trial) => void;
}

const targetOf = (file: string): Target =>
  file === storeFileName ? "database" : file.endsWith("-wal") ? "log" : file.startsWith("checkpoints") ? "checkpoint" : file.startsWith("weights") ? "weights" : "dataset";

/** Trials in a temporary folder. */
export async function corruptionTrials({ flips, cuts, seed, steps, onTrial }: CorruptionOptions): Promise<Trial[]> {
  const root = mkdtempSync(join(tmpdir(), "hypertower-corruption-"));
  const sound = join(root, "sound");
  try {
    await fillStore(sound, join(sound, "data"), steps);
    const truth = readLogged(copied(sound, join(root, "truth")));
    const random = randomOf(seed);
    const files = filesIn(sound);
    const trials: Trial[] = [];
    for (let index = 0; index < flips + cuts; index++) {
      const file = chosen(files, random);
      const trial = await oneTrial(sound, join(root, "trial"), truth as Map<string, Logged>, { fault: index < flips ? "flip" : "cut", file, random });
      trials.push(trial);
      onTrial?.(trial);
    }
    return trials;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Half of the faults hit the database, a quarter its log. */
function chosen(files: readonly string[], random: () => number): string {
  const kind = random();
  if (kind < 0.5) return storeFileName;
  if (kind < 0.75) return `${storeFileName}-wal`;
  const others = files.filter((file) => targetOf(file) !== "database" && targetOf(file) !== "log");
  return others[Math.floor(random() * others.length)]!;
}

function copied(from: string, to: string): string {
  copyStore(from, to);
  return to;
}

interface Fault {
  readonly fault: Trial["fault"];
  readonly file: string;
  readonly random: () => number;
}

async function oneTrial(sound: string, folder: string, truth: ReadonlyMap<string, Logged>, { fault, file, random }: Fault): Promise<Trial> {
  const damaged = join(folder, "damaged");
  const saved = join(folder, "saved");
  rmSync(folder, { recursive: true, force: true });
  copyStore(sound, damaged);
  const path = join(damaged, file);
  const { size } = statSync(path);
  const at = Math.floor(random() * size);
  const bytes = readFileSync(path);
  const was = bytes[at]!;
  const now = fault === "flip" ? was ^ (1 + Math.floor(random() * 255)) : was;
  if (fault === "cut") truncateSync(path, at);
  else {
    bytes[at] = now;
    writeFileSync(path, bytes);
  }
  const failures: string[] = [];
  const before = hashes(damaged);
  const seen = await isSeen(damaged, failures);
  // In a copy: an ordinary connection may write.
  const read = plainlyRead(copied(damaged, join(folder, "read")));
  const changed = !read || [...truth].some(([run, logged]) => !read.get(run) || differs(logged, read.get(run)!)) || read.size !== truth.size;
  if (changed && !seen) failures.push("a changed value was not noticed");
  let salvaged: Trial["salvaged"] = "nothing";
  let unsaved: string[] = [];
  try {
    const report = await salvageStore(damaged, saved);
    salvaged = report.runs.every(({ outcome }) => outcome === "whole") && report.runs.length === truth.size ? "whole" : "part";
    const kept = readLogged(saved);
    unsaved = lostOf(read, kept, truth);
    const named = new Map(report.runs.map(({ id, losses }) => [id, losses.join()]));
    for (const [run, logged] of kept) {
      const wrong = wrongIn(logged, truth.get(run));
      // A damaged log may leave a run as it was at an earlier commit.
      const isEarlier = (where: string) => targetOf(file) === "log" && where === "row";
      if (wrong.some((where) => !isEarlier(where) && (where !== "row" || !/description|step|study|checksums cannot/.test(named.get(run) ?? "")))) failures.push(`${run} was salvaged with a wrong value: ${wrong[0]!}; ${named.get(run) ?? ""}`);
    }
    const again = await verifyStore(saved);
    const bad = again.findings.find(({ severity }) => severity === "damage");
    if (bad) failures.push(`the new store is damaged: ${bad.where}: ${bad.problem}`);
  } catch (error) {
    if (read && [...read.values()].some((logged) => logged !== null)) failures.push(`nothing was salvaged, although SQL reads runs: ${messageOf(error)}`);
  }
  if (unsaved.length > 0) failures.push(`runs that SQL reads were not salvaged as they are: ${unsaved.join(", ")}`);
  if (hashes(damaged) !== before) failures.push("the damaged store was written");
  return { fault, target: targetOf(file), file, at, was, now, seen, changed, unsaved, salvaged, failures };
}

async function isSeen(damaged: string, failures: string[]): Promise<boolean> {
  try {
    const { findings } = await verifyStore(damaged, { data: join(damaged, "data") });
    return findings.length > 0;
  } catch (error) {
    failures.push(`the check failed: ${messageOf(error)}`);
    return false;
  }
}

function plainlyRead(folder: string): Map<string, Logged | null> | undefined {
  try {
    return readLogged(folder);
  } catch {
    return undefined;
  }
}

const differs = (a: Logged, b: Logged): boolean => a.size !== b.size || [...a].some(([where, what]) => b.get(where) !== what);

/** Runs that SQL reads, of which a value that it reads rightly is missing in the new store. */
function lostOf(read: ReadonlyMap<string, Logged | null> | undefined, kept: ReadonlyMap<string, Logged | null>, truth: ReadonlyMap<string, Logged>): string[] {
  return [...(read ?? [])].flatMap(([run, logged]) => {
    const right = truth.get(run);
    if (!logged || !right) return [];
    // A run that SQL reads as it was logged must be there as a whole.
    if (!differs(right, logged)) return kept.get(run) && sameValues(right, kept.get(run)!) ? [] : [run];
    return kept.get(run) ? [] : [run];
  });
}

/** The state of a run that was trained at the time becomes another; the rest must be equal. */
const sameValues = (a: Logged, b: Logged): boolean => [...a].every(([where, what]) => where === "row" || b.get(where) === what);

function wrongIn(kept: Logged | null, truth: Logged | undefined): string[] {
  if (!kept || !truth) return [];
  return [...kept].filter(([where, what]) => truth.get(where) !== what && what !== "null").map(([where]) => where);
}

function hashes(folder: string): string {
  const hash = createHash("sha256");
  for (const file of filesIn(folder)) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest("hex");
}

/** A table of the trials for people. */
export function corruptionTable(trials: readonly Trial[]): string {
  const head = ["fault", "file", "trials", "found", "harmless", "changed unseen", "salvaged whole", "in part", "nothing", "failures"];
  const rows = (["flip", "cut"] as const).flatMap((fault) =>
    (["database", "log", "checkpoint", "weights", "dataset"] as const).map((target) => {
      const those = trials.filter((trial) => trial.fault === fault && trial.target === target);
      const count = (test: (trial: Trial) => boolean) => String(those.filter(test).length);
      return [
        fault,
        target,
        String(those.length),
        count(({ seen }) => seen),
        count(({ seen, changed }) => !seen && !changed),
        count(({ seen, changed }) => !seen && changed),
        count(({ salvaged }) => salvaged === "whole"),
        count(({ salvaged }) => salvaged === "part"),
        count(({ salvaged }) => salvaged === "nothing"),
        count(({ failures }) => failures.length > 0),
      ];
    }),
  );
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows].map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")).join("\n");
}
