/** One feed for the runs of a cohort: those that draw the same batches get the same arrays, made once. */
import { Random } from "../models/random.ts";
import type { Feed, FeedBatch } from "./feed.ts";

interface Epoch {
  readonly batches: Iterator<FeedBatch>;
  /** Where a generator stands that its order was drawn from. */
  readonly drawn: readonly number[];
  /** Number of the latest batch; null after the last. */
  number: number;
  batch: FeedBatch | null;
  /** Runs that are in it. */
  readonly runs: Set<symbol>;
}

export function commonFeed(feed: Feed): Feed {
  /** The epoch under way, by where its order was drawn from. */
  const epochs = new Map<string, Epoch>();

  const begin = (start: readonly number[], first: number, runs = new Set<symbol>()): Epoch => {
    const random = new Random(start);
    const batches = feed.epoch(random, first)[Symbol.iterator]();
    const epoch = { batches, drawn: [...random.state], number: first - 1, batch: null, runs };
    epochs.set(start.join(), epoch);
    return epoch;
  };

  const batchAt = (run: symbol, start: readonly number[], number: number): FeedBatch | null => {
    let epoch = epochs.get(start.join()) ?? begin(start, number);
    if (number !== epoch.number && number !== epoch.number + 1) {
      // A run that is not where the others are: from there on.
      epoch.batches.return?.();
      epoch = begin(start, number, epoch.runs);
    }
    epoch.runs.add(run);
    if (epoch.number === number) return epoch.batch;
    const next = epoch.batches.next();
    epoch.number = number;
    epoch.batch = next.done ? null : kept(next.value);
    return epoch.batch;
  };

  const leave = (run: symbol, start: readonly number[]): void => {
    const epoch = epochs.get(start.join());
    if (!epoch?.runs.delete(run) || epoch.runs.size > 0) return;
    epoch.batches.return?.();
    epochs.delete(start.join());
  };

  function* batches(start: readonly number[], first: number): Generator<FeedBatch> {
    const run = Symbol();
    try {
      for (let number = first; ; number++) {
        const batch = batchAt(run, start, number);
        if (!batch) return;
        yield batch;
      }
    } finally {
      leave(run, start);
    }
  }

  return {
    ...feed,
    epoch(random, first) {
      const start = [...random.state];
      // Each goes on from where it would be alone; drawn once for all.
      random.goOnFrom((epochs.get(start.join()) ?? begin(start, first)).drawn);
      return batches(start, first);
    },
  };
}

/** A copy: a run that waits keeps its batch while others go on to later ones. */
function kept(batch: FeedBatch): FeedBatch {
  return { ...batch, inputs: Object.fromEntries(Object.entries(batch.inputs).map(([name, values]) => [name, values.slice()])) };
}
