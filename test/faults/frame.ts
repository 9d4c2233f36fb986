/**
 * What all faults share: an undisturbed run, trained once, and stores with it beside which another run is trained and
 * disturbed. After each blow the store has to be whole, with everything that was told; in the end every number has to
 * be that of the undisturbed run.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { verifyStore } from "../../src/main/hosting/verify.ts";
import { messageOf } from "../../src/shared/errors.ts";
import type { ExperimentInput } from "../../src/shared/experiment.ts";
import { startHost, type Command, type Line } from "./command.ts";
import { newOutcome, plainMessages, type Outcome } from "./outcome.ts";
import { storeFacts, type RunFacts } from "./storeFacts.ts";

const experiment = {
  dataset: { kind: "iris", trainExamples: 120, testExamples: 30 },
  model: { kind: "mlp", hidden: [4] },
  batchSize: 8,
} as const satisfies ExperimentInput;

/** A fault: one entry of the table. */
export interface Fault {
  readonly name: string;
  /** Why it cannot be tried on this machine; null where it can. */
  readonly problem?: () => string | null;
  /** Strikes in a store of its own, and completes and checks what it struck. */
  readonly round: (frame: Frame, random: () => number) => Promise<Outcome>;
}

/** What was computed: not how long a step took. */
export const numbersOf = ({ series, evaluations }: RunFacts) => ({
  series: Object.fromEntries(Object.entries(series).filter(([name]) => name !== "stepTime")),
  evaluations,
});

/** How often a run is resumed at most. */
const maxAttempts = 12;

export class Frame {
  readonly root = mkdtempSync(join(tmpdir(), "hypertower-faults-"));
  readonly #undisturbed = join(this.root, "undisturbed");
  #facts: RunFacts | undefined;
  /** Milliseconds that the undisturbed run took, with the start of its processes. */
  milliseconds = 0;
  #stores = 0;
  readonly experiment: ExperimentInput;
  /** How often a fault strikes in one round at most. */
  readonly blows: number;

  /** @param epochs that the runs are trained */
  constructor(epochs = 200, blows = 3) {
    this.experiment = { ...experiment, budget: { epochs } };
    this.blows = blows;
  }

  async prepare(): Promise<void> {
    const begun = performance.now();
    const command = startHost(this.#undisturbed, { train: this.experiment });
    if ((await command.ended) !== 0) throw new Error(`the undisturbed run failed: ${command.errors()}`);
    this.milliseconds = performance.now() - begun;
    this.#facts = storeFacts(this.#undisturbed).runs[0];
  }

  get undisturbed(): RunFacts {
    return this.#facts!;
  }

  isAsExpected(run: RunFacts): boolean {
    return run.status === "finished" && isDeepStrictEqual(numbersOf(run), numbersOf(this.undisturbed));
  }

  newFolder(): string {
    return join(this.root, `round-${++this.#stores}`);
  }

  /** A new store that holds the undisturbed run. */
  newStore(): string {
    const store = this.newFolder();
    cpSync(this.#undisturbed, store, { recursive: true });
    return store;
  }

  /** Waits for a random moment of training; now and then while the processes start. @returns whether there is anything left to strike */
  async moment(command: Command, random: () => number): Promise<boolean> {
    if (random() < 0.15) await Promise.race([delay(this.milliseconds * 0.5 * random()), command.ended]);
    else {
      await command.until(({ type }) => type === "epoch");
      const begun = command.lines.find(({ type }) => type === "epoch")?.step ?? 0;
      const { steps } = this;
      const wanted = begun + (steps - begun) * 0.9 * random();
      await command.until(({ type, step = 0 }) => type === "epoch" && step >= wanted);
      await delay(30 * random());
    }
    return !command.isOver();
  }

  /** Steps of a whole run. */
  get steps(): number {
    return this.undisturbed.series["loss"]!.length;
  }

  /** Checks a store that no process has open. @param told lines of every process that trained into it */
  async check(store: string, told: readonly Line[], outcome: Outcome): Promise<readonly RunFacts[]> {
    const expected = told.filter(({ type }) => type === "started" || type === "epoch" || type === "finished");
    try {
      if (!existsSync(join(store, "hypertower.sqlite"))) {
        if (expected.length > 0) outcome.lost.push(`the store ${store}`);
        return [];
      }
      const { integrity, runs } = storeFacts(store);
      if (integrity !== "ok") outcome.damaged.push(`${store}: ${integrity}`);
      const { findings } = await verifyStore(store);
      outcome.damaged.push(...findings.filter(({ severity }) => severity === "damage").map(({ where, problem }) => `${store}, ${where}: ${problem}`));
      for (const run of new Set(expected.map((line) => line.run))) {
        const found = runs.find(({ id }) => id === run);
        if (found) outcome.lost.push(...missing(found, expected).map((text) => `${store}, run ${run}: ${text}`));
        else outcome.lost.push(`${store}: run ${run}`);
      }
      const other = runs.find(({ id }) => id === this.undisturbed.id);
      if (other && !this.isAsExpected(other)) outcome.disturbed.push(`${store}, run ${other.id}`);
      return runs;
    } catch (error) {
      outcome.damaged.push(`${store}: ${messageOf(error)}`);
      return [];
    }
  }

  /**
   * Trains a run, strikes each of its first `blows` attempts at a random moment, and resumes it until it has ended.
   * @param strike resolves once the blow is over
   */
  async disturb(random: () => number, strike: (command: Command) => void | Promise<void>, blows = this.blows): Promise<Outcome> {
    const outcome = newOutcome();
    const store = this.newStore();
    const told: Line[] = [];
    for (let attempt = 0, run: string | undefined; attempt < maxAttempts; attempt++) {
      const command = startHost(store, run === undefined ? { train: this.experiment } : { resume: run });
      if (attempt < blows && (await this.moment(command, random))) {
        await strike(command);
        outcome.times++;
      }
      await command.ended;
      told.push(...command.lines);
      for (const text of plainMessages(command.errors())) outcome.said.add(text);
      const runs = await this.check(store, told, outcome);
      const trained = runs.find(({ id }) => id !== this.undisturbed.id);
      // Killed before the run was created: then nothing was told of it.
      run = trained?.id;
      if (trained?.status !== "finished") continue;
      if (!this.isAsExpected(trained)) outcome.different.push(`${store}, run ${run}: other numbers`);
      this.#clean(store, outcome);
      return outcome;
    }
    outcome.different.push(`${store}: the run does not come to its end`);
    return outcome;
  }

  /** Resumes every unfinished run of a store and compares it with the undisturbed one. */
  async complete(store: string, told: readonly Line[], outcome: Outcome, resume: (run: string) => Command = (run) => startHost(store, { resume: run })): Promise<void> {
    for (const { id, status } of await this.check(store, told, outcome)) {
      if (status === "finished") continue;
      const command = resume(id);
      const code = await command.ended;
      for (const text of plainMessages(command.errors())) outcome.said.add(text);
      if (code !== 0) outcome.different.push(`${store}, run ${id}, which was ${status}, cannot be resumed: ${command.errors().trim()}`);
    }
    for (const run of await this.check(store, told, outcome)) if (!this.isAsExpected(run)) outcome.different.push(`${store}, run ${run.id}, ${run.status}: other numbers`);
    this.#clean(store, outcome);
  }

  #clean(store: string, { lost, damaged, different, disturbed }: Outcome): void {
    if (lost.length + damaged.length + different.length + disturbed.length === 0) rmSync(store, { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const delay = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** What was told of a run and is not in its store. */
export function missing(run: RunFacts, told: readonly Line[]): string[] {
  const lines = told.filter((line) => line.run === run.id);
  const evaluations = new Map(run.evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const epochs = lines.filter(({ type }) => type === "epoch");
  const gone = epochs.filter(({ step }) => !evaluations.has(step!));
  const other = epochs.filter(({ step, ...line }) => {
    const found = evaluations.get(step!);
    return found && (["trainLoss", "testLoss", "testError"] as const).some((name) => (line[name] ?? null) !== found[name]);
  });
  const steps = Math.max(0, ...epochs.map(({ step }) => step!)) - (run.series["loss"]?.length ?? 0);
  return [
    ...(gone.length > 0 ? [`${gone.length} evaluations after steps ${gone[0]!.step} to ${gone.at(-1)!.step}`] : []),
    ...(other.length > 0 ? [`${other.length} evaluations have other values, the first after step ${other[0]!.step}`] : []),
    ...(steps > 0 ? [`the last ${steps} steps`] : []),
    ...(lines.some(({ type }) => type === "finished") && run.status !== "finished" ? [`it was told as finished and is ${run.status}`] : []),
  ];
}
