/** Takes the series of a thinned run in: its kept buckets, the values that it has, and their checksums. */
import type { Database } from "better-sqlite3";
import { bucketGroups, bucketsChecksum, firstValueChecksum, firstValueWidth, KeptBuckets } from "./keptBuckets.ts";
import { ChecksumBuilder, checksumName, type SpanChecksum } from "./checksums.ts";
import type { PortableSource } from "./portable.ts";
import type { SeriesWriter } from "./seriesWriter.ts";

/** Call inside a transaction. @throws RangeError when the source lacks summaries or values */
export function receiveThinned(db: Database, series: SeriesWriter, source: PortableSource): void {
  const { run } = source;
  const { id, metrics, logged, thinned } = run;
  if (!thinned) throw new RangeError(`run ${id} is not thinned`);
  const ids = series.begin(id, metrics).columns.map(({ metric }) => metric);
  const labels = metrics.map((name) => checksumName(id, name));
  const bucket = db.prepare("INSERT INTO buckets (metric, width, start, count, non_finite, min, min_step, max, max_step, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const { column, width, bucket: b } of source.kept()) bucket.run(ids[column], width, b.start, b.count, b.nonFinite, b.min, b.minStep, b.max, b.maxStep, b.sum);
  const value = db.prepare("INSERT INTO series_values (metric, step, value) VALUES (?, ?, ?)");
  const keptChecksum = db.prepare("INSERT INTO kept_checksums (metric, width, start, crc) VALUES (?, ?, ?, ?)");
  const builders: (ChecksumBuilder | undefined)[] = metrics.map(() => undefined);
  const spans: SpanChecksum[][] = metrics.map(() => []);
  let next = 0;
  for (const { firstStep, count, values } of source.steps()) {
    ids.forEach((metric, column) => {
      const own = Float64Array.from({ length: count }, (_, row) => values[row * ids.length + column] as number);
      own.forEach((one, row) => value.run(metric, firstStep + row, one));
      if (firstStep === 0) keptChecksum.run(metric, firstValueWidth, 0, firstValueChecksum(labels[column]!, own[0]!));
      else (builders[column] ??= new ChecksumBuilder(labels[column]!, firstStep)).add(own, spans[column]!);
    });
    next = firstStep + count;
  }
  const kept = new KeptBuckets(db);
  const finish = db.prepare("UPDATE metrics SET count = ?, last_step = ?, open_crc = ? WHERE id = ?");
  const span = db.prepare("INSERT INTO series_checksums (metric, start, crc) VALUES (?, ?, ?)");
  ids.forEach((metric, column) => {
    const open = builders[column]?.open;
    if (next !== logged || open === undefined) throw new RangeError(`run ${id} has ${next} steps instead of ${logged}`);
    for (const group of bucketGroups(logged - 1, thinned.width)) {
      const buckets = kept.read(metric, group);
      if (!KeptBuckets.isWhole(group, buckets)) throw new RangeError(`run ${id} lacks summaries of ${metrics[column]!} from step ${group.start} on`);
      keptChecksum.run(metric, group.width, group.start, bucketsChecksum(labels[column]!, group, buckets));
    }
    for (const { start, crc } of spans[column]!) span.run(metric, start, crc);
    finish.run(logged, logged - 1, open, metric);
  });
}
