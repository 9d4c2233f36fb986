/** What was asked of the runs of a unit so far, in the order in which it was asked. */
import type { UnitSteering } from "../fleet.ts";

export type Ask = UnitSteering["type"];

export class SteeringState {
  /** By run; null for all. */
  readonly #asked: UnitSteering[] = [];

  add(steering: UnitSteering): void {
    this.#asked.push(steering);
  }

  #of(run: string): Ask[] {
    return this.#asked.flatMap((steering) => (steering.run === null || steering.run === run ? [steering.type] : []));
  }

  /** Whether a run that starts now starts paused. */
  isPaused(run: string): boolean {
    return this.#of(run).findLast((type) => type === "pause" || type === "resume") === "pause";
  }

  /** Whether a run is to end, and how; null where it may train. The first such request counts. */
  ends(run: string): "stop" | "leave" | null {
    return this.#of(run).find((type) => type === "stop" || type === "leave") ?? null;
  }
}
