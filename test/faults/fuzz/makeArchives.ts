/** Writes the corpus of archives of runs: `node test/faults/fuzz/makeArchives.ts`. The files are committed. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeCheckpoint } from "../../../src/core/checkpoint/file.ts";
import { experiment as experimentSchema } from "../../../src/shared/experiment.ts";
import { study as studySchema } from "../../../src/shared/study/study.ts";
import { archiveOf } from "../../../src/main/archives/write.ts";
import { newRun } from "../../../src/main/hosting/newRun.ts";
import { portableRun, portableStudy, type PortableSource } from "../../../src/main/store/portable.ts";
import { corpusFolder } from "./run.ts";

const experiment = experimentSchema.parse({ seed: 3 });

function source(id: string, study: string | null): PortableSource {
  const run = portableRun.parse({ ...newRun(experiment, new Date(1_000), study), id, status: "stopped", steps: 3, metrics: ["loss", "stepTime"], logged: 3, cell: study && "s3", pruned: false, environment: null });
  const position = { step: 3, begun: true, epoch: 1, lossSum: 0.3, examples: 64, evaluated: null, shuffling: [1, 2] };
  const checkpoint = encodeCheckpoint({ run: id, experiment: run.experiment, engine: "onnx-cpu", savedAt: 5, position, guard: null, state: { w: Float64Array.of(0.5, NaN) } });
  return {
    run,
    kept: () => [],
    steps: () => [{ firstStep: 0, count: 3, values: Float64Array.of(1, NaN, Infinity, 2, 0.5, -3) }],
    evaluations: () => [{ at: 7, step: 2, epoch: 1, trainLoss: null, testLoss: 0.5, testError: 10 }],
    events: () => [{ at: 8, step: 0, kind: "started", message: "begun" }],
    files: () => [{ kind: "checkpoint", size: checkpoint.length, read: (at, target) => checkpoint.copy(target, 0, at, at + target.length) }],
  };
}

/** A run of 600 steps, thinned to summaries of 256. */
function thinned(id: string): PortableSource {
  const whole = source(id, null);
  const run = portableRun.parse({ ...whole.run, status: "finished", steps: 600, logged: 600, metrics: ["loss"], networks: false, thinned: { at: 10, width: 256 } });
  const bucket = (start: number) => ({ start, count: 256, nonFinite: 1, min: -2.5, minStep: start + 3, max: 4, maxStep: start + 200, sum: 12.5 });
  const rows = (firstStep: number, count: number) => ({ firstStep, count, values: new Float64Array(count).fill(0.25) });
  return {
    ...whole,
    run,
    steps: () => [rows(0, 1), rows(512, 88)],
    kept: () => [0, 256].map((start) => ({ column: 0, width: 256, bucket: bucket(start) })),
    files: () => [],
  };
}

async function write(name: string, runs: readonly PortableSource[], study?: string): Promise<void> {
  async function* each() {
    for (const run of runs) yield await Promise.resolve(run);
  }
  const definition = studySchema.parse({ name: "s" });
  const studies = study === undefined ? [] : [portableStudy.parse({ id: study, name: "s", status: "stopped", reason: null, study: definition, createdAt: 1, startedAt: 2, finishedAt: 3, deletedAt: null, total: 1, workers: 1, trained: null })];
  const pieces: Uint8Array[] = [];
  for await (const piece of archiveOf({ studies, runs: each(), program: "0.1.0", createdAt: 9, networks: false, thinned: runs.some(({ run }) => run.thinned !== undefined) })) pieces.push(Buffer.from(piece));
  mkdirSync(join(corpusFolder, "runArchive"), { recursive: true });
  writeFileSync(join(corpusFolder, "runArchive", name), Buffer.concat(pieces));
}

await write("run.hypertower", [source("a-run", null)]);
await write("study.hypertower", [source("b-run", "a-study"), source("c-run", null)], "a-study");
await write("thinned.hypertower", [thinned("d-run")]);
