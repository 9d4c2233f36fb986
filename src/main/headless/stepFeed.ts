/** Step events of `--json`: the latest step of each run from time to time, or every step as it was logged. */
import { once } from "node:events";
import type { RunSummary } from "../../shared/run.ts";
import type { Services } from "../services/services.ts";
import { defaultStepEvents, type StepEvents } from "./stepEvents.ts";

export interface StepEvent {
  readonly event: "step";
  readonly type: "step";
  readonly run: string;
  /** Number of the step, from 0. */
  readonly step: number;
  /** Loss and hyperparameters by name (`L0.alpha`); null where one is not finite. Of every step also its hypergradients and time. */
  readonly values: Readonly<Record<string, number | null>>;
}

const finite = (value: number | undefined | null) => (typeof value === "number" && Number.isFinite(value) ? value : null);

interface Followed {
  /** First step that is not reported yet. */
  next: number;
  reportedAt: number;
  metrics: readonly string[] | undefined;
}

export class StepFeed {
  readonly #services: Pick<Services, "readSteps" | "handlers">;
  readonly #out: NodeJS.WritableStream;
  readonly #often: StepEvents;
  readonly #now: () => number;
  readonly #runs = new Map<string, Followed>();
  #queue: Promise<void> = Promise.resolve();

  constructor(services: Pick<Services, "readSteps" | "handlers">, often: StepEvents = defaultStepEvents, out: NodeJS.WritableStream = process.stdout, now: () => number = () => performance.now()) {
    this.#services = services;
    this.#out = out;
    this.#often = often;
    this.#now = now;
  }

  /** Steps from here on are reported. */
  started({ id, steps }: Pick<RunSummary, "id" | "steps">): void {
    this.#runs.set(id, { next: steps, reportedAt: this.#now(), metrics: undefined });
  }

  changed(run: Pick<RunSummary, "id" | "status" | "steps" | "loss" | "hyperparameters">): void {
    if (this.#often === "none") return;
    // A run that is resumed waits with the steps it had.
    if (!this.#runs.has(run.id)) this.started({ id: run.id, steps: run.status === "queued" ? run.steps : 0 });
    const followed = this.#runs.get(run.id)!;
    if (this.#often === "all") this.#queue = this.#queue.then(() => this.#every(run.id, followed));
    else if (run.steps > followed.next && this.#now() - followed.reportedAt >= this.#often) {
      followed.next = run.steps;
      followed.reportedAt = this.#now();
      const values = { loss: finite(run.loss), ...Object.fromEntries(run.hyperparameters.map(({ metric, value }) => [metric, finite(value)])) };
      this.#write({ event: "step", type: "step", run: run.id, step: run.steps - 1, values });
    }
  }

  /** Resolves when every committed step of the run is reported. Call once the run's log is settled. */
  async rest(run: string): Promise<void> {
    const followed = this.#runs.get(run);
    if (this.#often === "all" && followed) this.#queue = this.#queue.then(() => this.#every(run, followed));
    await this.#queue;
    this.#runs.delete(run);
  }

  async #every(run: string, followed: Followed): Promise<void> {
    followed.metrics = followed.metrics?.length ? followed.metrics : (await this.#services.handlers["runs.get"]({ run })).metrics;
    const { metrics } = followed;
    for (const { step, values } of this.#services.readSteps(run, followed.next)) {
      followed.next = step + 1;
      const event: StepEvent = { event: "step", type: "step", run, step, values: Object.fromEntries(metrics.map((name, i) => [name, finite(values[i])])) };
      if (!this.#write(event)) await once(this.#out, "drain");
    }
  }

  #write(event: StepEvent): boolean {
    return this.#out.write(`${JSON.stringify(event)}\n`);
  }
}
