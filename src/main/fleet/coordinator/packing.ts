/** Packs programs into units of work. */
import { randomUUID } from "node:crypto";
import type { generatorVersions } from "../../../shared/random.ts";
import { totalSteps, type Experiment } from "../../../shared/experiment.ts";
import { dataFacts } from "../../../shared/datasets.ts";
import { networksOf } from "../../../shared/startingWeights.ts";
import type { EngineKind } from "../../../shared/engines.ts";
import { unit as unitSchema, unitFormat, type Unit, type UnitNeeds, type UnitProgram } from "../../../shared/fleet/unit.ts";
import { FleetError } from "../fleet.ts";
import { sameNeeds, type RemoteTrainer } from "./remoteTrainer.ts";

/** Milliseconds that a unit takes at least, where that is known and no study says otherwise. */
export const defaultUnitTime = 600_000;

/** Runs of a unit at most: they are all in memory while it is taken in. */
const maxRuns = 4_096;

/** A program whose runs were launched together. */
export interface Program {
  readonly size: number;
  readonly study: Unit["study"];
  readonly unitTime: number | null;
  readonly stepTime: number | null;
  readonly trainers: readonly RemoteTrainer[];
}

export interface PackingOptions {
  readonly version: string;
  readonly checkpointEvery: number;
  /** Names and checksums of a dataset's files. */
  readonly filesOf: (kind: string) => UnitNeeds["dataset"]["files"];
  /** Longest time in milliseconds that a unit may run; null for no limit. */
  readonly longest: number | null;
}

export interface PackedUnit {
  readonly unit: Unit;
  readonly trainers: readonly RemoteTrainer[];
}

/** @throws FleetError for a program that no fleet can train */
export function pack(programs: readonly Program[], options: PackingOptions): PackedUnit[] {
  interface Open {
    readonly study: Unit["study"];
    readonly needs: UnitNeeds;
    readonly enough: number;
    programs: UnitProgram[];
    trainers: RemoteTrainer[];
    estimate: number | null;
  }
  const open: Open[] = [];
  const packed: PackedUnit[] = [];
  const close = ({ study, needs, programs: members, trainers, estimate }: Open) => {
    const id = `u${randomUUID().replaceAll("-", "").slice(0, 20)}`;
    packed.push({ unit: unitSchema.parse({ format: unitFormat, id, study, programs: members, needs, checkpointEvery: options.checkpointEvery, estimate }), trainers });
  };
  for (const program of programs) {
    const trainers = program.trainers.filter(({ gone, order }) => !gone && order);
    const [first] = trainers;
    if (!first?.order) continue;
    const needs = needsOf(first.order.experiment, options);
    const estimate = program.stepTime === null ? null : trainers.reduce((sum, { order }) => sum + totalSteps(order!.experiment) * program.stepTime!, 0);
    const enough = Math.min(program.unitTime ?? defaultUnitTime, options.longest === null ? Infinity : options.longest / 2);
    let into = open.find((one) => one.study.id === program.study.id && sameNeeds(one.needs, needs));
    // A unit whose time is not known is one program; one that would be too long begins another.
    const isFull = into && (into.estimate === null || estimate === null || into.trainers.length + trainers.length > maxRuns || (options.longest !== null && into.estimate + estimate > options.longest));
    if (into && isFull) {
      close(into);
      open.splice(open.indexOf(into), 1);
      into = undefined;
    }
    if (!into) open.push((into = { study: program.study, needs, enough, programs: [], trainers: [], estimate: estimate === null ? null : 0 }));
    into.programs.push({
      size: program.size,
      members: trainers.map(({ run, seat, order }) => ({ run, seat, experiment: order!.experiment, ...(order!.why !== undefined && { why: order!.why }) })),
    });
    into.trainers.push(...trainers);
    if (into.estimate !== null && estimate !== null) into.estimate += estimate;
    if (into.estimate === null || into.estimate >= into.enough) {
      close(into);
      open.splice(open.indexOf(into), 1);
    }
  }
  for (const rest of open) close(rest);
  return packed;
}

function needsOf(experiment: Experiment, { version, filesOf }: PackingOptions): UnitNeeds {
  const { engine, dataset, generator } = experiment;
  if (engine.kind === "auto") throw new FleetError("The engine is not chosen; name one in the experiment.", { retry: false });
  return {
    hypertower: version,
    engine: engine.kind as EngineKind,
    threads: engine.threads,
    generator: generator as (typeof generatorVersions)[number],
    dataset: { kind: dataset.kind, title: dataFacts(dataset).title, files: filesOf(dataset.kind).map(({ name, digest }) => ({ name, digest })) },
    networks: networksOf(experiment).map(({ hash }) => hash),
  };
}
