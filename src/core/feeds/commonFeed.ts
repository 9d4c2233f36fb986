/** One feed for the runs of a cohort: those that draw the same batches get the same arrays, made once. */
import { epochOf, type Epoch, type Feed, type FeedBatch } from "./feed.ts";

/** Batches one after another, for the runs that are at the same place of an epoch. */
interface Strand {
  readonly batches: Iterator<FeedBatch>;
  /** Number of the latest batch. */
  number: number;
  /** Null after the last. */
  batch: FeedBatch | null;
  runs: number;
}

export function commonFeed(feed: Feed): Feed {
  /** The epochs under way, by where their orders were drawn from. */
  const epochs = new Map<string, CommonEpoch>();
  return {
    ...feed,
    epoch(random, first) {
      const start = random.state.join();
      let common = epochs.get(start);
      // Each run's generator goes on from where it would be alone; the order is drawn once for all.
      if (common) random.goOnFrom(common.drawn);
      else {
        const epoch = feed.epoch(random, first);
        common = new CommonEpoch(epoch, random.state, () => epochs.delete(start));
        epochs.set(start, common);
      }
      return epochOf((number) => common.batches(number), first);
    },
  };
}

class CommonEpoch {
  /** Where a generator stands that its order was drawn from. */
  readonly drawn: readonly number[];
  readonly #epoch: Epoch;
  readonly #onEmpty: () => void;
  readonly #strands = new Set<Strand>();
  #runs = 0;

  /** @param onEmpty called when the last run has left */
  constructor(epoch: Epoch, drawn: readonly number[], onEmpty: () => void) {
    this.#epoch = epoch;
    this.drawn = [...drawn];
    this.#onEmpty = onEmpty;
  }

  *batches(first: number): Generator<FeedBatch> {
    let strand: Strand | undefined;
    this.#runs++;
    try {
      for (let number = first; ; number++) {
        const at = this.#strandAt(number);
        at.runs++;
        this.#leave(strand);
        strand = at;
        if (!at.batch) return;
        yield at.batch;
      }
    } finally {
      this.#leave(strand);
      if (--this.#runs === 0) this.#onEmpty();
    }
  }

  /** Where a batch is, or is made next: a run that is not where the others are has a strand of its own until they meet. */
  #strandAt(number: number): Strand {
    const strands = [...this.#strands];
    const there = strands.find((strand) => strand.number === number);
    if (there) return there;
    const strand = strands.find((one) => one.number === number - 1) ?? this.#begin(number);
    try {
      const next = strand.batches.next();
      strand.number = number;
      strand.batch = next.done ? null : kept(next.value);
    } catch (error) {
      // An iterator that threw says that it is done from then on: the others must not take that for the end of the epoch.
      this.#strands.delete(strand);
      throw error;
    }
    return strand;
  }

  #begin(first: number): Strand {
    const strand = { batches: this.#epoch.from(first)[Symbol.iterator](), number: first - 1, batch: null, runs: 0 };
    this.#strands.add(strand);
    return strand;
  }

  #leave(strand: Strand | undefined): void {
    if (!strand || --strand.runs > 0) return;
    strand.batches.return?.();
    this.#strands.delete(strand);
  }
}

/** A copy: a run that waits keeps its batch while others go on to later ones. */
function kept(batch: FeedBatch): FeedBatch {
  return { ...batch, inputs: Object.fromEntries(Object.entries(batch.inputs).map(([name, values]) => [name, values.slice()])) };
}
