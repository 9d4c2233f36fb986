/** A small coordinator: takes in what a fleet hands in, in order and once, until all units are settled. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fleet, UnitNews } from "../../../src/main/fleet/fleet.ts";
import { decodeSegment, type Segment } from "../../../src/main/fleet/segment.ts";
import { messagesOf, factsOf, type RunFacts } from "./units.ts";

export class Driven {
  readonly segments = new Map<string, Segment[]>();
  readonly states = new Map<string, UnitNews>();
  /** Every state that was seen with its reason. */
  readonly seen = new Map<string, Set<string>>();
  readonly problems: string[] = [];
  readonly #fleet: Fleet;
  readonly #units: readonly string[];

  constructor(fleet: Fleet, units: readonly string[]) {
    this.#fleet = fleet;
    this.#units = units;
  }

  async step(): Promise<void> {
    const news = await this.#fleet.look(this.#units, 1_000);
    for (const each of news.units) {
      this.states.set(each.unit, each);
      const seen = this.seen.get(each.unit) ?? new Set();
      this.seen.set(each.unit, seen.add(`${each.state}: ${each.reason}`));
    }
    for (const ref of news.segments) {
      const all = this.segments.get(ref.unit) ?? [];
      this.segments.set(ref.unit, all);
      const segment = decodeSegment(await this.#fleet.read(ref), ref);
      const before = all.filter(({ attempt }) => attempt === ref.attempt);
      if (ref.sequence !== before.length) this.problems.push(`segment ${ref.sequence} of attempt ${ref.attempt} of ${ref.unit} came after ${before.length}`);
      if (all.some(({ attempt }) => attempt > ref.attempt)) this.problems.push(`attempt ${ref.attempt} of ${ref.unit} came late`);
      all.push(segment);
    }
    await this.#fleet.taken(news.segments);
  }

  /** Looks until the condition holds. */
  async until(condition: (driven: this) => boolean, every = 300): Promise<void> {
    for (;;) {
      await this.step();
      if (condition(this)) return;
      await delay(every);
    }
  }

  async settled(): Promise<void> {
    const over = (unit: string) => ["ended", "failed", "canceled"].includes(this.states.get(unit)?.state ?? "");
    await this.until(() => this.#units.every(over));
    await this.step();
  }

  facts(unit: string, run: string): RunFacts {
    return factsOf(messagesOf(this.segments.get(unit) ?? [], run));
  }

  /** Rows of a run that were handed in. */
  rows(unit: string, run: string): number {
    return this.facts(unit, run).rows.size;
  }
}
