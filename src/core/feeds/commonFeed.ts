/** A feed shared by the runs of a cohort: runs that draw the same batches share their arrays. */
import { epochOf, type Epoch, type Feed, type FeedBatch } from "./feed.ts";

/** A sequence of batches for runs at the same position in an epoch. */
interface Strand {
  readonly batches: Iterator<FeedBatch>;
  /** Number of the latest batch. */
  number: number;
  /** Null after the last batch. */
  batch: FeedBatch | null;
  runs: number;
}

export function commonFeed(feed: Feed): Feed {
  /** Active epochs by the generator state that their order was drawn from. */
  const epochs = new Map<string, CommonEpoch>();
  return {
    ...feed,
    epoch(random, first) {
      const start = random.state.join();
      let common = epochs.get(start);
      // Advance each run's generator as if it had drawn the order itself.
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
  /** Generator state after the order was drawn. */
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

  /** The strand at a batch: a run at a different position has its own strand until they meet. */
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
      // An iterator that threw reports the end afterwards; other runs must not take that for the
      // end of the epoch.
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

/** A copy: a waiting run keeps its batch while others move on. */
function kept(batch: FeedBatch): FeedBatch {
  return { ...batch, inputs: Object.fromEntries(Object.entries(batch.inputs).map(([name, values]) => [name, values.slice()])) };
}
