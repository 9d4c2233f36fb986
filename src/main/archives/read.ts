/** Reads archives. Everything is checked before the first run is handed out; nothing is written. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { networksOf } from "../../shared/startingWeights.ts";
import { requireOwner } from "../../core/checkpoint/owner.ts";
import { readCheckpointHeader } from "../../core/checkpoint/file.ts";
import { readWeightsHeader } from "../../core/weights/file.ts";
import { bucketGroups, isBucketOf } from "../store/keptBuckets.ts";
import { portableEvaluation, portableEvent, portableRun, portableStudy, rowsAtOnce, runFileKinds, storedRanges, type KeptBucket, type PortableFile, type PortableNetwork, type PortableRun, type PortableSource, type PortableStudy, type RunFileKind } from "../store/portable.ts";
import type { StepRows } from "../store/seriesWriter.ts";
import { ArchiveError } from "./errors.ts";
import { archiveVersion, head, headName, keptLine, limits, manifest, manifestName, maxSize, parseJson, parsePartName, type BatchedKind, type Manifest } from "./format.ts";
import { TarFile, type TarEntry } from "./tar.ts";
import { blocksOf, decodeRows } from "./write.ts";

/** The parts of a run. */
interface RunParts extends Record<BatchedKind, TarEntry[]> {
  run?: TarEntry;
  readonly files: Map<RunFileKind, TarEntry>;
}

const notUsable = (path: string, why: unknown) => new ArchiveError(`${path} cannot be imported: ${messageOf(why)}.`, { cause: why });

export class Archive {
  readonly manifest: Manifest;
  readonly studies: readonly PortableStudy[];
  readonly #tar: TarFile;
  readonly #sums: ReadonlyMap<string, string>;
  readonly #runs: readonly RunParts[];
  readonly #networks: ReadonlyMap<string, TarEntry>;

  /** @throws ArchiveError naming the file, unless every part is whole and of a version that is known here */
  static async open(path: string): Promise<Archive> {
    let tar: TarFile | undefined;
    try {
      tar = new TarFile(path);
      const archive = new Archive(tar);
      await archive.#check();
      return archive;
    } catch (error) {
      tar?.close();
      throw notUsable(path, error);
    }
  }

  private constructor(tar: TarFile) {
    this.#tar = tar;
    const entries = tar.list(limits.parts, (name, size) => {
      const part = parsePartName(name);
      if (!part) throw new ArchiveError(`it has a part ${JSON.stringify(name)}, which no archive has`);
      if (size > maxSize(part)) throw new ArchiveError(`${name} has ${size} bytes; at most ${maxSize(part)} are allowed`);
    });
    const first = entries[0];
    if (first?.name !== headName) throw new ArchiveError("it is no archive of Hypertower");
    const { version } = parseJson(headName, tar.bytesOf(first).toString("utf8"), head);
    if (version > archiveVersion) throw new ArchiveError(`it was written by a newer Hypertower: its format is version ${version}, this Hypertower reads versions up to ${archiveVersion}. Update Hypertower`);
    const last = entries.at(-1)!;
    if (last.name !== manifestName) throw new ArchiveError("it is cut off: its manifest is missing");
    this.manifest = parseJson(manifestName, tar.bytesOf(last).toString("utf8"), manifest);
    const parts = entries.slice(0, -1);
    if (this.manifest.parts.length !== parts.length) throw new ArchiveError(`it has ${parts.length} parts; its manifest lists ${this.manifest.parts.length}`);
    this.manifest.parts.forEach(({ name, size }, i) => {
      if (parts[i]!.name !== name || parts[i]!.size !== size) throw new ArchiveError(`its manifest lists ${name} with ${size} bytes where ${parts[i]!.name} with ${parts[i]!.size} lies`);
    });
    this.#sums = new Map(this.manifest.parts.map(({ name, sha256 }) => [name, sha256]));
    if (this.#sums.size !== parts.length) throw new ArchiveError("two of its parts have one name");
    const { studies, runs, networks } = grouped(parts);
    this.studies = studies.map((entry) => parseJson(entry.name, this.#verified(entry).toString("utf8"), portableStudy));
    this.#runs = runs;
    this.#networks = networks;
  }

  /** The runs in their order; each is read when it is asked for. */
  get runs(): Iterable<PortableSource> {
    const sources = this.#runs.map((parts) => () => this.#source(parts));
    return { *[Symbol.iterator]() { for (const source of sources) yield source(); } };
  }

  get runCount(): number {
    return this.#runs.length;
  }

  close(): void {
    this.#tar.close();
  }

  async #check(): Promise<void> {
    for (const [hash, entry] of this.#networks) {
      const sum = createHash("sha256");
      for (const block of blocksOf(this.#network(hash, entry))) sum.update(block);
      if (sum.digest("hex") !== hash) throw new ArchiveError(`${entry.name} is damaged: its checksum does not match`);
    }
    const studies = new Set(this.studies.map(({ id }) => id));
    if (studies.size !== this.studies.length) throw new ArchiveError("two of its studies have one id");
    const ids = new Set<string>();
    for (const source of this.runs) {
      const { run } = source;
      if (ids.has(run.id)) throw new ArchiveError(`two of its runs have the id ${run.id}`);
      ids.add(run.id);
      if (run.study !== null && !studies.has(run.study)) throw new ArchiveError(`run ${run.id} belongs to study ${run.study}, which it does not hold`);
      for (const _ of source.steps());
      for (const _ of source.kept());
      let last = -1;
      for (const { step } of source.evaluations()) {
        if (step <= last) throw new ArchiveError(`the evaluations of run ${run.id} are not in order`);
        last = step;
      }
      for (const _ of source.events());
      for (const file of source.files()) await this.#checkFile(run, file);
    }
  }

  /** @throws ArchiveError unless the file is whole and the run's own */
  async #checkFile(run: PortableRun, file: PortableFile & { readonly entry?: TarEntry }): Promise<void> {
    const { kind, size } = file;
    const hash = createHash("sha256");
    for (const block of blocksOf(file)) hash.update(block);
    if (hash.digest("hex") !== this.#sums.get(file.entry!.name)) throw new ArchiveError(`${file.entry!.name} is damaged: its checksum does not match`);
    const read = (at: number, length: number) => {
      if (length > limits.manifest) throw new ArchiveError(`its header would have ${length} bytes`);
      const target = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      return Promise.resolve(target.subarray(0, file.read(at, target)));
    };
    try {
      requireOwner(await (kind === "checkpoint" ? readCheckpointHeader(read, size) : readWeightsHeader(read, size)), run);
    } catch (error) {
      throw new ArchiveError(`${file.entry!.name} cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  #network(hash: string, entry: TarEntry, name = hash.slice(0, 12)): PortableNetwork {
    return { hash, name, size: entry.size, read: (at, target) => this.#tar.read(entry.at + at, target.subarray(0, Math.max(0, Math.min(target.length, entry.size - at)))) };
  }

  /** A part's bytes, checked. */
  #verified(entry: TarEntry): Buffer {
    const bytes = this.#tar.bytesOf(entry);
    if (createHash("sha256").update(bytes).digest("hex") !== this.#sums.get(entry.name)) throw new ArchiveError(`${entry.name} is damaged: its checksum does not match`);
    return bytes;
  }

  #source(parts: RunParts): PortableSource & { files(): readonly (PortableFile & { entry: TarEntry })[] } {
    const run = parseJson(parts.run!.name, this.#verified(parts.run!).toString("utf8"), portableRun);
    return {
      run,
      networks: () =>
        networksOf(run.experiment).flatMap(({ hash, name }) => {
          const entry = this.#networks.get(hash);
          return entry ? [this.#network(hash, entry, name)] : [];
        }),
      steps: () => this.#steps(run, parts.steps),
      kept: () => this.#kept(run, parts.kept),
      evaluations: () => this.#lines(parts.evaluations, portableEvaluation),
      events: () => this.#lines(parts.events, portableEvent),
      files: () => [...parts.files].map(([kind, entry]) => ({ kind, size: entry.size, entry, read: (at, target) => this.#tar.read(entry.at + at, target.subarray(0, Math.max(0, Math.min(target.length, entry.size - at)))) })),
    };
  }

  *#steps(run: PortableRun, entries: readonly TarEntry[]): Generator<StepRows> {
    const { id, metrics, logged } = run;
    const rows = rowsAtOnce(metrics.length);
    const ranges = storedRanges(run).filter(([from, to]) => from < to);
    let [firstStep, end] = ranges.shift() ?? [0, 0];
    for (const entry of entries) {
      if (firstStep === end) [firstStep, end] = ranges.shift() ?? [end, end];
      const count = Math.min(rows, end - firstStep);
      if (metrics.length === 0 || count <= 0 || entry.size !== count * metrics.length * 8) throw new ArchiveError(`${entry.name} has ${entry.size} bytes instead of ${Math.max(0, count) * metrics.length * 8}`);
      yield decodeRows(firstStep, metrics.length, this.#verified(entry));
      firstStep += count;
    }
    if (firstStep !== end || ranges.length > 0) throw new ArchiveError(`run ${id} has ${firstStep} steps instead of ${logged}`);
  }

  *#kept({ id, metrics, logged, thinned }: PortableRun, entries: readonly TarEntry[]): Generator<KeptBucket> {
    const lines = this.#lines(entries, keptLine);
    const wrong = () => new ArchiveError(`the summaries of run ${id} are not those of a run thinned so`);
    for (let column = 0; thinned && column < metrics.length; column++) {
      for (const group of bucketGroups(logged - 1, thinned.width)) {
        for (let i = 0; i < group.count; i++) {
          const line = lines.next();
          if (line.done) throw wrong();
          const [of, width, start, nonFinite, min, minStep, max, maxStep, sum] = line.value;
          const bucket = { start, count: width, nonFinite, min, minStep, max, maxStep, sum };
          if (of !== column || width !== group.width || !isBucketOf({ width, start: group.start + i * width }, bucket)) throw wrong();
          yield { column, width, bucket };
        }
      }
    }
    if (!lines.next().done) throw wrong();
  }

  *#lines<T extends z.ZodType>(entries: readonly TarEntry[], schema: T): Generator<z.output<T>> {
    for (const entry of entries) {
      const text = this.#verified(entry).toString("utf8");
      if (!text.endsWith("\n")) throw new ArchiveError(`${entry.name} ends within a line`);
      for (const line of text.slice(0, -1).split("\n")) yield parseJson(entry.name, line, schema);
    }
  }
}

/** Groups the parts by study and run. @throws ArchiveError where one is missing or out of order */
function grouped(parts: readonly TarEntry[]): { readonly studies: TarEntry[]; readonly runs: RunParts[]; readonly networks: Map<string, TarEntry> } {
  const studies: TarEntry[] = [];
  const runs: RunParts[] = [];
  const networks = new Map<string, TarEntry>();
  for (const entry of parts.slice(1)) {
    const part = parsePartName(entry.name)!;
    const misplaced = () => new ArchiveError(`${entry.name} is out of order`);
    if (part.kind === "head" || part.kind === "manifest") throw misplaced();
    if (part.kind === "network") {
      networks.set(part.hash, entry);
    } else if (part.kind === "study") {
      if (part.index !== studies.length || runs.length > 0) throw misplaced();
      studies.push(entry);
    } else if (part.kind === "run") {
      if (part.index !== runs.length) throw misplaced();
      runs.push({ run: entry, steps: [], kept: [], evaluations: [], events: [], files: new Map() });
    } else {
      const run = runs.at(-1);
      if (!run || part.index !== runs.length - 1) throw misplaced();
      if ("batch" in part) {
        if (part.batch !== run[part.kind].length) throw misplaced();
        run[part.kind].push(entry);
      } else if (runFileKinds.includes(part.kind)) run.files.set(part.kind, entry);
    }
  }
  return { studies, runs, networks };
}
