/** One feed for the runs of a cohort: those that draw the same batches get the same arrays, made once. */
import { Random } from "../models/random.ts";
import type { Feed, FeedBatch } from "./feed.ts";

interface Epoch {
  readonly batches: Iterator<FeedBatch>;
  /** Number of the latest batch; null after the last. */
  number: number;
  batch: FeedBatch | null;
}

export function commonFeed(feed: Feed): Feed {
  /** The epoch under way, by where its order was drawn from. */
  const epochs = new Map<string, Epoch>();

  const batchAt = (start: readonly number[], number: number): FeedBatch | null => {
    const key = start.join();
    let epoch = epochs.get(key);
    if (epoch?.number === number) return epoch.batch;
    if (!epoch || number !== epoch.number + 1) {
      // A run that is not where the others are: from there on.
      epoch = { batches: feed.epoch(new Random(start), number)[Symbol.iterator](), number, batch: null };
      epochs.set(key, epoch);
    }
    const next = epoch.batches.next();
    epoch.number = number;
    epoch.batch = next.done ? null : kept(next.value);
    // The next epoch is drawn from elsewhere.
    if (next.done) epochs.delete(key);
    return epoch.batch;
  };

  return {
    ...feed,
    *epoch(random, first) {
      const start = [...random.state];
      // Each draws for itself, so that its generator goes on as it would alone.
      feed.epoch(random, first)[Symbol.iterator]().next();
      for (let number = first; ; number++) {
        const batch = batchAt(start, number);
        if (!batch) return;
        yield batch;
      }
    },
  };
}

/** A copy: a run that waits keeps its batch while others go on to later ones. */
function kept(batch: FeedBatch): FeedBatch {
  return { ...batch, inputs: Object.fromEntries(Object.entries(batch.inputs).map(([name, values]) => [name, values.slice()])) };
}
