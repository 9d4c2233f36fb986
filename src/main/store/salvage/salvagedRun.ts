/** A run of a damaged store as another store takes it in: what is proven is kept, values that are lost are missing, and the run says so. */
import { isActive, type Evaluation, type RunEvent } from "../../../shared/run.ts";
import { plural } from "../../../shared/text.ts";
import { addToChecksum, checksumName, checksumSpan, emptyChecksum, sealedEvaluationColumns, type Cell } from "../checksums.ts";
import { bucketGroups, bucketsChecksum, firstValueChecksum, firstValueWidth, lostBucket } from "../keptBuckets.ts";
import { storedRanges, type KeptBucket, type PortableEvaluation, type PortableRun, type PortableSource } from "../portable.ts";
import { measureColumns, measureNames, toEnvironment, toEvaluation } from "../runRows.ts";
import type { StepRows } from "../seriesWriter.ts";
import type { Salvaged } from "../verify/findings.ts";
import { attempt, type CheckedRows, type DamagedStore, type FoundMetric, type FoundRun } from "./damagedStore.ts";

/** Longest series that a damaged number may claim. */
const maxSteps = 2 ** 31;

/** Losses that an event of the run names one by one. */
const maxNamed = 12;

export class SalvagedRun implements PortableSource {
  readonly run: PortableRun;
  readonly #store: DamagedStore;
  readonly #metrics: readonly FoundMetric[];
  readonly #evaluations: CheckedRows;
  readonly #events: CheckedRows;
  readonly #isProtected: boolean;
  readonly #from: string;
  readonly #losses: string[] = [];
  #seriesRead = false;
  #keptRead = false;

  /** @param hasStudy whether the run's study was saved @param from the damaged store, for people */
  constructor(store: DamagedStore, { id, summary, cell, pruned, environment, matches }: FoundRun, hasStudy: boolean, from: string) {
    this.#store = store;
    this.#from = from;
    const protection = store.protection(id);
    this.#isProtected = typeof protection?.since === "number";
    const metrics = store.metrics(id);
    const lengths = metrics.map(({ id: metric, lastStep }) => (lastStep === null ? store.lastStep(metric) : lastStep) + 1).filter((length) => Number.isInteger(length) && length >= 0 && length <= maxSteps);
    const logged = mostCommon(lengths) ?? 0;
    this.#metrics = logged > 0 ? metrics : [];
    this.#evaluations = store.evaluations(id);
    this.#events = store.events(id);
    if (!protection) this.#losses.push("its checksums cannot be read: what is kept is not proven");
    else if (!this.#isProtected) this.#losses.push("an earlier Hypertower logged it without checksums: what is kept is not proven");
    if (matches === false) this.#losses.push("its description does not match its checksum: its name, state, settings or results may be wrong");
    if (protection && this.#isProtected) {
      this.#missing("evaluation", protection.evaluations - this.#evaluations.rows.length);
      this.#missing("event", protection.events - this.#events.rows.length);
    }
    if (summary.steps > logged) this.#losses.push(`its last ${plural(summary.steps - logged, "step")} are not there`);
    if (summary.study !== null && !hasStudy) this.#losses.push("its study is lost; it is a single run now");
    const wasActive = isActive(summary.status);
    const { elsewhere: _elsewhere, samplesPerSecond: _samples, secondsLeft: _left, ...rest } = summary;
    this.run = {
      ...rest,
      ...(wasActive && { status: "interrupted" as const, reason: "It was being trained when its store was damaged.", finishedAt: summary.finishedAt ?? Date.now() }),
      ...(summary.steps > logged && { steps: logged }),
      status: wasActive ? "interrupted" : (summary.status as PortableRun["status"]),
      study: hasStudy ? summary.study : null,
      cell: hasStudy ? cell : null,
      pruned,
      environment: attempt(() => toEnvironment(environment)) ?? null,
      metrics: this.#metrics.map(({ name }) => name),
      logged,
    };
  }

  /** What is missing or not proven; complete once `steps()` was read. */
  get losses(): readonly string[] {
    return this.#losses;
  }

  *steps(): Generator<StepRows> {
    const losses = this.#metrics.map(() => new Ranges());
    const unproven = this.#metrics.map(() => new Ranges());
    for (const { firstStep, count } of spansOf(this.run)) {
      const values = new Float64Array(count * this.#metrics.length).fill(NaN);
      this.#metrics.forEach((metric, column) => {
        const { span, proven } = this.#span(metric, firstStep, count);
        if (!span) return losses[column]!.add(firstStep, firstStep + count);
        if (!proven && this.#isProtected) unproven[column]!.add(firstStep, firstStep + count);
        for (let row = 0; row < count; row++) values[row * this.#metrics.length + column] = span[row] as number;
      });
      yield { firstStep, count, values };
    }
    if (this.#seriesRead) return;
    this.#seriesRead = true;
    this.#metrics.forEach(({ name }, column) => {
      if (!losses[column]!.isEmpty) this.#losses.push(`${name}: steps ${losses[column]!.text} are lost and shown as missing`);
      if (!unproven[column]!.isEmpty) this.#losses.push(`${name}: the checksums of steps ${unproven[column]!.text} are lost: their values are not proven`);
    });
  }

  *kept(): Generator<KeptBucket> {
    const { thinned, logged, id } = this.run;
    if (!thinned) return;
    for (const [column, metric] of this.#metrics.entries()) {
      const lost = new Ranges();
      for (const group of bucketGroups(logged - 1, thinned.width)) {
        const { width, start, count } = group;
        const buckets = this.#store.keptBuckets(metric.id, group);
        const wanted = this.#store.keptChecksum(metric.id, group);
        const isProven = buckets !== undefined && wanted !== undefined && bucketsChecksum(checksumName(id, metric.name), group, buckets) === wanted;
        if (!isProven) lost.add(start, start + count * width);
        for (let i = 0; i < count; i++) yield { column, width, bucket: isProven ? buckets[i]! : lostBucket(width, start + i * width) };
      }
      if (!this.#keptRead && !lost.isEmpty) this.#losses.push(`${metric.name}: summaries of steps ${lost.text} are lost and shown as missing`);
    }
    this.#keptRead = true;
  }

  *evaluations(): Generator<PortableEvaluation> {
    for (const cells of this.#evaluations.rows) yield evaluationOf(cells);
  }

  *events(): Generator<RunEvent> {
    for (const [, at, step, kind, message] of this.#events.rows) yield { at, step, kind, message } as RunEvent;
    if (this.#losses.length === 0) return;
    const named = this.#losses.slice(0, maxNamed).join("; ");
    const more = this.#losses.length > maxNamed ? `; and ${this.#losses.length - maxNamed} more` : "";
    yield { at: Date.now(), step: this.run.steps, kind: "salvaged", message: `Salvaged from the damaged store ${this.#from}: ${named}${more}.` };
  }

  files(): readonly [] {
    return [];
  }

  result(): Salvaged {
    const { id, name, logged } = this.run;
    const losses = [...this.#losses];
    return { id, name, outcome: losses.length === 0 ? "whole" : "part", steps: logged, evaluations: this.#evaluations.rows.length, events: this.#events.rows.length, losses };
  }

  /** Values of a span, where they match their checksum or there is none to compare with. */
  #span({ id, name, open, lastStep }: FoundMetric, start: number, count: number): { span: Float64Array | undefined; proven: boolean } {
    const span = this.#store.values(id, start, start + count);
    if (!span) return { span: undefined, proven: false };
    if (this.run.thinned && start === 0) {
      const first = this.#store.keptChecksum(id, { width: firstValueWidth, start: 0 });
      const isSound = first === undefined || firstValueChecksum(checksumName(this.run.id, name), span[0]!) === first;
      return { span: isSound ? span : undefined, proven: first !== undefined };
    }
    const wanted = count === checksumSpan ? this.#store.spanChecksum(id, start) : lastStep === start + count - 1 ? (open ?? undefined) : undefined;
    const matches = wanted === undefined || addToChecksum(emptyChecksum(checksumName(this.run.id, name), start), span) === wanted;
    return { span: matches ? span : undefined, proven: wanted !== undefined };
  }

  #missing(what: string, count: number): void {
    if (count > 0) this.#losses.push(`${plural(count, what)} ${count === 1 ? "is" : "are"} lost`);
  }
}

/** The spans of checksums whose values a run has; of a thinned one, step 0 alone and the last ones. */
function* spansOf(run: PortableRun): Generator<{ firstStep: number; count: number }> {
  for (const [from, to] of storedRanges(run)) {
    for (let firstStep = from; firstStep < to; firstStep += checksumSpan) yield { firstStep, count: Math.min(checksumSpan, to - firstStep) };
  }
}

function evaluationOf(cells: readonly Cell[]): PortableEvaluation {
  const row = Object.fromEntries(sealedEvaluationColumns.map((name, i) => [name, cells[i] ?? null]));
  const measures = Object.fromEntries(measureNames.map((name) => [name, row[measureColumns[name]]]));
  return { ...toEvaluation({ step: row["step"], epoch: row["epoch"], ...measures } as Evaluation), at: row["at"] as number };
}

function mostCommon(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || b - a)[0]?.[0];
}

/** Ranges of steps, joined where they meet. */
class Ranges {
  readonly #ranges: [from: number, to: number][] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** For people: `0–255, 512–767`. */
  get text(): string {
    const shown = this.#ranges.slice(0, 5).map(([from, to]) => `${from}–${to - 1}`);
    return [...shown, ...(this.#ranges.length > 5 ? [`${this.#ranges.length - 5} more ranges`] : [])].join(", ");
  }

  add(from: number, to: number): void {
    const last = this.#ranges.at(-1);
    if (last?.[1] === from) last[1] = to;
    else this.#ranges.push([from, to]);
  }
}
