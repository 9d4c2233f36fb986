/** Writes archives piece by piece: of a run's steps, one batch is in memory at a time. */
import { createHash } from "node:crypto";
import { dataFacts } from "../../shared/datasets.ts";
import type { KeptBucket, PortableFile, PortableSource, PortableStudy } from "../store/portable.ts";
import type { StepRows } from "../store/seriesWriter.ts";
import { ArchiveError } from "./errors.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { archiveFormat, fileNames, headName, limits, manifestName, versionOf, type KeptLine, type Manifest } from "./format.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

/** Bytes read at a time. */
const blockLength = 1 << 20;

export interface ArchiveContent {
  readonly studies: readonly PortableStudy[];
  /** Runs are opened one after the other. A run's study must be among `studies`. */
  readonly runs: AsyncIterable<PortableSource>;
  /** Version of the program. */
  readonly program: string;
  readonly createdAt: number;
  /** Whether one of the runs is thinned. */
  readonly thinned: boolean;
  /** Whether one of them trains an imported network, or began from a file. */
  readonly networks: boolean;
}

export async function* archiveOf({ studies, runs, program, createdAt, thinned, networks }: ArchiveContent): AsyncGenerator<Uint8Array> {
  const version = versionOf({ thinned, networks });
  const written = new Set<string>();
  const parts: Manifest["parts"] = [];
  const datasets = new Map<string, Manifest["datasets"][number]>();
  const generators = new Set<number>();

  function* part(name: string, size: number, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    if (size > limits.file) throw new ArchiveError(`${name} would have ${size} bytes; a part of an archive has at most ${limits.file}`);
    const hash = createHash("sha256");
    yield tarHeader(name, size);
    let written = 0;
    for (const piece of pieces) {
      hash.update(piece);
      written += piece.length;
      yield piece;
    }
    if (written !== size) throw new ArchiveError(`${name} was changed while it was read; try again`);
    yield tarPadding(size);
    parts.push({ name, size, sha256: hash.digest("hex") });
    // The manifest is a part too.
    if (parts.length >= limits.parts) throw new ArchiveError(`there would be more than ${limits.parts} parts in the archive; archive fewer runs`);
  }
  const json = (name: string, value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value));
    return part(name, bytes.length, [bytes]);
  };

  yield* json(headName, { format: archiveFormat, version, program });
  for (const [i, study] of studies.entries()) yield* json(`studies/${i}.json`, study);
  let index = 0;
  for await (const source of runs) {
    const { run } = source;
    const at = `runs/${index++}`;
    for (const network of networks ? (source.networks?.() ?? []) : []) {
      if (written.has(network.hash)) continue;
      written.add(network.hash);
      yield* part(`networks/${network.hash}`, network.size, blocksOf(network));
    }
    yield* json(`${at}/run.json`, run);
    let batch = 0;
    for (const rows of source.steps()) {
      const bytes = encodeRows(rows);
      yield* part(`${at}/steps/${batch++}`, bytes.length, [bytes]);
    }
    if (run.thinned && !thinned) throw new ArchiveError(`run ${run.id} was thinned while it was archived. Try again`);
    for (const kind of ["kept", "evaluations", "events"] as const) {
      batch = 0;
      for (const bytes of lines(kind === "kept" ? keptLines(source.kept()) : source[kind]())) yield* part(`${at}/${kind}/${batch++}`, bytes.length, [bytes]);
    }
    for (const file of source.files()) yield* part(`${at}/${fileNames[file.kind]}`, file.size, blocksOf(file));
    const { title, trainExamples, testExamples, exampleShape } = dataFacts(run.experiment.dataset);
    datasets.set(run.experiment.dataset.kind, { kind: run.experiment.dataset.kind, title, trainExamples, testExamples, exampleShape: [...exampleShape], files: fingerprintsOf(run.experiment.dataset.kind) });
    generators.add(run.experiment.generator);
  }
  const manifest: Manifest = { format: archiveFormat, version, program, createdAt, generators: [...generators].sort(), datasets: [...datasets.values()], parts: [...parts] };
  yield* json(manifestName, manifest);
  yield tarEnd();
}

/** A file in blocks. It may end early if it is changed meanwhile. */
export function* blocksOf(file: Pick<PortableFile, "size" | "read">): Generator<Buffer> {
  for (let at = 0; at < file.size; ) {
    const target = Buffer.allocUnsafe(Math.min(blockLength, file.size - at));
    const read = file.read(at, target);
    if (read === 0) return;
    yield target.subarray(0, read);
    at += read;
  }
}

/** Rows as float64, little-endian, column by column. */
export function encodeRows({ count, values }: StepRows): Buffer {
  const columns = values.length / count;
  const bytes = Buffer.allocUnsafe(values.length * 8);
  for (let column = 0, at = 0; column < columns; column++) {
    for (let row = 0; row < count; row++, at += 8) bytes.writeDoubleLE(values[row * columns + column] as number, at);
  }
  return bytes;
}

export function decodeRows(firstStep: number, columns: number, bytes: Buffer): StepRows {
  const count = bytes.length / 8 / columns;
  const values = new Float64Array(count * columns);
  for (let column = 0, at = 0; column < columns; column++) {
    for (let row = 0; row < count; row++, at += 8) values[row * columns + column] = bytes.readDoubleLE(at);
  }
  return { firstStep, count, values };
}

function* keptLines(kept: Iterable<KeptBucket>): Generator<KeptLine> {
  for (const { column, width, bucket: b } of kept) yield [column, width, b.start, b.nonFinite, b.min, b.minStep, b.max, b.maxStep, b.sum];
}

/** JSON, one a line, in batches of about 1 MiB. */
function* lines(values: Iterable<unknown>): Generator<Buffer> {
  let batch: string[] = [];
  let length = 0;
  for (const value of values) {
    const line = `${JSON.stringify(value)}\n`;
    batch.push(line);
    length += line.length;
    if (length < blockLength) continue;
    yield Buffer.from(batch.join(""));
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield Buffer.from(batch.join(""));
}
