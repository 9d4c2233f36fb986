/** A claim whose results stay in memory, of a shared place that can fail. */
import type { Unit } from "../../../src/shared/fleet/unit.ts";
import type { UnitSteering } from "../../../src/main/fleet/fleet.ts";
import { decodeSegment, type Segment } from "../../../src/main/fleet/segment.ts";
import type { Claim, KeptCheckpoint } from "../../../src/main/fleet/worker/source.ts";

export class MemoryClaim implements Claim {
  readonly unit: Unit;
  readonly attempt: number;
  readonly segments: Segment[] = [];
  readonly checkpoints: Map<string, KeptCheckpoint & { readonly sequence: number }>;
  readonly ended = new Set<string>();
  outcome: Parameters<Claim["end"]>[0] | undefined;
  /** Thrown by whatever is handed in, while there is one. */
  failure: Error | null = null;
  refused = 0;
  released = false;
  readonly #steerings: UnitSteering[] = [];
  readonly #listeners = new Set<(steering: UnitSteering) => void>();
  readonly #lost = new Set<(reason: string) => void>();
  readonly #watchers = new Set<() => void>();

  constructor(unit: Unit, attempt = 1, earlier?: MemoryClaim) {
    this.unit = unit;
    this.attempt = attempt;
    this.checkpoints = new Map(earlier?.checkpoints);
    for (const run of earlier?.ended ?? []) this.ended.add(run);
  }

  checkpoint(run: string): Promise<KeptCheckpoint | null> {
    return Promise.resolve(this.checkpoints.get(run) ?? null);
  }

  endedRuns(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.ended);
  }

  networks(): Promise<string> {
    return Promise.resolve("/nowhere");
  }

  async putSegment(sequence: number, bytes: Uint8Array, endedRuns: readonly string[]): Promise<void> {
    this.#mayFail();
    if (sequence !== this.segments.length) throw new Error(`segment ${sequence} came instead of ${this.segments.length}`);
    this.segments.push(decodeSegment(bytes, { unit: this.unit.id, attempt: this.attempt, sequence }));
    for (const run of endedRuns) this.ended.add(run);
    await this.#tell();
  }

  async putCheckpoint(checkpoint: KeptCheckpoint, sequence: number): Promise<void> {
    this.#mayFail();
    if (sequence >= this.segments.length) throw new Error("a checkpoint came before its segments");
    this.checkpoints.set(checkpoint.run, { ...checkpoint, sequence });
    await this.#tell();
  }

  onSteering(listener: (steering: UnitSteering) => void): () => void {
    this.#listeners.add(listener);
    for (const steering of this.#steerings) listener(steering);
    return () => this.#listeners.delete(listener);
  }

  onLost(listener: (reason: string) => void): () => void {
    this.#lost.add(listener);
    return () => this.#lost.delete(listener);
  }

  async end(outcome: Parameters<Claim["end"]>[0]): Promise<void> {
    this.#mayFail();
    this.outcome = outcome;
    await this.#tell();
  }

  steer(steering: UnitSteering): void {
    this.#steerings.push(steering);
    for (const listener of this.#listeners) listener(steering);
  }

  release(): void {
    this.released = true;
  }

  lose(reason: string): void {
    for (const listener of this.#lost) listener(reason);
  }

  /** Resolves when the condition holds, after what is handed in next. */
  async when(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }

  #mayFail(): void {
    if (!this.failure) return;
    this.refused++;
    void this.#tell();
    throw this.failure;
  }

  #tell(): Promise<void> {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
    return Promise.resolve();
  }
}
