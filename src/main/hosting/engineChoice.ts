/**
 * Which engine is fastest here: a few dozen steps of the program at hand on each that loads. What
 * was measured is kept for the program and the machine; what crashed is remembered and not picked
 * until a person has it tried again. An automatic choice tries, unasked, what may be the fastest;
 * with one such engine there is nothing to choose and nothing is measured.
 */
import { z } from "zod";
import { engineDescription, engineFacts, engineKinds, type EngineKind, type EngineReport, type EngineState } from "../../shared/engines.ts";
import { experiment as experimentSchema, type Experiment } from "../../shared/experiment.ts";
import { minOf } from "../../shared/extent.ts";
import { EngineTrials, type Lost } from "./engineTrials.ts";
import type { Measurements } from "./measurements.ts";
import type { StartTrainer } from "./process.ts";
import { programOf } from "../../core/training/programOf.ts";

export interface Working {
  readonly kind: EngineKind | null;
  readonly doing: "probing" | "measuring";
}

export interface EngineChoiceOptions {
  /** Processes of their own: a crash must not take a warm trainer along. */
  readonly startTrainer: StartTrainer;
  readonly measurements: Measurements;
  readonly onWorking: (working: Working) => void;
  /** The engines there are. */
  readonly kinds?: readonly EngineKind[];
  /** A process that has not answered by then (milliseconds) hangs. */
  readonly within?: number;
  /** An engine that every automatic choice takes, unmeasured; HYPERTOWER_ENGINE by default. */
  readonly fixed?: string | undefined;
}

/** No engine that an automatic choice may take. */
export class NoEngineError extends Error {}

/** Measurements are taken anew after this long (milliseconds): the machine may have been busy, a driver may be new. */
const validFor = 30 * 24 * 3_600_000;

/** Another engine has to be this much faster than the one that comes with Hypertower and reruns bit for bit. */
const worthIt = 0.9;

/** Slower than others by far on every machine: measured only when a person asks for it, or nothing else is left. */
const onDemand: ReadonlySet<EngineKind> = new Set(["tfjs-wasm", "tfjs-cpu", "reference"]);

/** These come along and touch no driver: one that takes longer (milliseconds) is slow, and does not hang. */
const patience = 30_000;

/** Milliseconds that are enough to see that an engine is slower than another with so many a step. */
const enoughFor = (step: number) => Math.min(4_000, Math.max(400, 3 * 32 * step));

const bar = z.object({ at: z.number(), reason: z.string() }).nullable();
const probeResult = z.object({ problem: z.string().nullable(), description: engineDescription.nullable() });
const measurements = z.object({
  at: z.number(),
  steps: z.partialRecord(z.enum(engineKinds), z.number()),
  /** Why there is no time of an engine that loads. */
  unmeasured: z.partialRecord(z.enum(engineKinds), z.string()).default({}),
});

export class EngineChoice {
  readonly #options: EngineChoiceOptions;
  readonly #kinds: readonly EngineKind[];
  readonly #trials: EngineTrials;
  readonly #within: number;
  /** One task at a time: two would measure one another. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: EngineChoiceOptions) {
    this.#options = options;
    this.#kinds = options.kinds ?? engineKinds;
    this.#within = options.within ?? 120_000;
    this.#trials = new EngineTrials({ startTrainer: options.startTrainer, within: this.#within });
  }

  /** Every engine, looked for where that has not been done on this machine. */
  report(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(() => this.#probe(this.#kinds, experiment));
  }

  /** Measures the program on every engine that loads and did not crash before. */
  calibrate(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(async () => {
      // What was missing may have been installed since.
      await this.#probe(this.#kinds, experiment, true);
      return this.#measure(this.#kinds, experiment);
    });
  }

  /** Forgets what happened to an engine and looks for it again. */
  retry(kind: EngineKind, experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(async () => {
      await this.#save(barKey(kind), null);
      await this.#save(barKey(kind, experiment), null);
      await this.#save(probeKey(kind), null);
      return this.#probe(this.#kinds, experiment);
    });
  }

  /**
   * The experiment on a named engine: the fastest for its program where it leaves that open.
   * @throws NoEngineError when there is none to take
   */
  async resolve(experiment: Experiment): Promise<{ readonly experiment: Experiment; readonly why: string }> {
    if (experiment.engine.kind !== "auto") return { experiment, why: "named in the experiment" };
    const { kind, why } = await this.#choose(experiment);
    return { experiment: { ...experiment, engine: { ...experiment.engine, kind } }, why };
  }

  /** resolve() without measuring, for estimates: what was measured before, or the engine that comes with Hypertower. */
  async likely(experiment: Experiment): Promise<Experiment> {
    if (experiment.engine.kind !== "auto") return experiment;
    const kind = this.#fixed() ?? (await this.#known(experiment)).choice?.kind ?? "onnx-cpu";
    return { ...experiment, engine: { ...experiment.engine, kind } };
  }

  /** A run on this engine crashed it, lost its device, or ran out of memory with this program. */
  async failed(kind: EngineKind, reason: string, experiment?: Experiment): Promise<void> {
    await this.#save(barKey(kind, experiment), { at: Date.now(), reason });
  }

  close(): void {
    this.#closed = true;
    this.#trials.close();
  }

  /** @throws NoEngineError when there is none of that name */
  #fixed(): EngineKind | null {
    const fixed = this.#options.fixed ?? process.env["HYPERTOWER_ENGINE"];
    if (fixed === undefined || fixed === "") return null;
    const kind = engineKinds.find((one) => one === fixed);
    if (!kind) throw new NoEngineError(`HYPERTOWER_ENGINE is ${fixed}; allowed: ${engineKinds.join(", ")}`);
    return kind;
  }

  async #choose(experiment: Experiment): Promise<{ kind: EngineKind; why: string }> {
    const fixed = this.#fixed();
    if (fixed) return { kind: fixed, why: "HYPERTOWER_ENGINE names it" };
    const { choice, engines } = await this.#inTurn(() => this.#tryWhatMayBeFastest(experiment));
    if (choice) return choice;
    const said = engines.map(({ kind, problem, barred, unmeasured }) => `${kind}: ${barred?.reason ?? problem ?? unmeasured ?? "it is not chosen automatically"}`);
    throw new NoEngineError(`No engine can be chosen. ${said.join("; ")}. The page Engines and "hypertower engines --retry KIND" have one tried again.`);
  }

  async #tryWhatMayBeFastest(experiment: Experiment): Promise<EngineReport> {
    const kinds = this.#kinds.filter((kind) => !onDemand.has(kind));
    const known = await this.#probe(kinds.filter((kind) => kind !== usual), experiment);
    const usable = known.engines.filter(mayBeFastest);
    const open = usable.some(({ step, unmeasured }) => step === null && unmeasured === null);
    if (known.choice && (known.measuredAt === null || !open)) return known;
    if (usable.length > 0) {
      const measured = await this.#measure(kinds, experiment);
      if (measured.choice) return measured;
    }
    return this.#measure(this.#kinds.filter((kind) => kind !== "reference"), experiment);
  }

  async #measure(kinds: readonly EngineKind[], experiment = experimentSchema.parse({})): Promise<EngineReport> {
    const steps: Partial<Record<EngineKind, number>> = {};
    const unmeasured: Partial<Record<EngineKind, string>> = {};
    for (const kind of kinds) {
      if (this.#closed || (await this.#barred(kind, experiment)) || typeof (await this.#probed(kind))?.problem === "string") continue;
      this.#options.onWorking({ kind, doing: "measuring" });
      const best = minOf(Object.values(steps));
      const of = { ...experiment, engine: { ...experiment.engine, kind } };
      const answer = await this.#trials.measure(of, Number.isFinite(best) ? enoughFor(best) : undefined, onDemand.has(kind) ? Math.min(patience, this.#within) : this.#within);
      if (this.#closed) break;
      if ("step" in answer) {
        steps[kind] = answer.step;
        await this.#save(probeKey(kind), { problem: null, description: answer.description });
      } else if ("late" in answer && onDemand.has(kind)) unmeasured[kind] = `a few steps take longer than ${answer.late / 1000} s`;
      else if ("unavailable" in answer) await this.#save(probeKey(kind), { problem: answer.unavailable, description: null });
      else if (!("failed" in answer)) await this.failed(kind, lostInWords(answer));
      else if (answer.engine) await this.failed(kind, answer.failed, answer.engine === "memory" ? experiment : undefined);
      else unmeasured[kind] = answer.failed;
    }
    if (!this.#closed) await this.#save(measureKey(experiment), { at: Date.now(), steps, unmeasured });
    return this.#known(experiment);
  }

  /** @param again also for what was not here when it was looked for before */
  async #probe(kinds: readonly EngineKind[], experiment?: Experiment, again = false): Promise<EngineReport> {
    const open: EngineKind[] = [];
    for (const kind of kinds) {
      const known = await this.#probed(kind);
      if (!(known && (known.problem === null || !again)) && !(await this.#barred(kind, experiment))) open.push(kind);
    }
    const found = await this.#trials.probe(open, (kind) => this.#options.onWorking({ kind, doing: "probing" }));
    if (!this.#closed) {
      for (const [kind, one] of found) {
        if (!("problem" in one)) await this.failed(kind, lostInWords(one));
        else await this.#save(probeKey(kind), one);
      }
    }
    return this.#known(experiment);
  }

  /** What is known without trying anything. */
  async #known(experiment = experimentSchema.parse({})): Promise<EngineReport> {
    const measured = await this.#options.measurements.read(measureKey(experiment), measurements, validFor);
    const engines: EngineState[] = [];
    for (const kind of this.#kinds) {
      const { problem = null, description = null } = (await this.#probed(kind)) ?? {};
      const { steps, unmeasured } = measured ?? { steps: {}, unmeasured: {} };
      engines.push({ kind, problem, description, barred: await this.#barred(kind, experiment), step: steps[kind] ?? null, unmeasured: unmeasured[kind] ?? null });
    }
    return { engines, choice: measured ? choiceAmong(engines) : onlyOne(engines), measuredAt: measured?.at ?? null };
  }

  #probed(kind: EngineKind): Promise<z.infer<typeof probeResult> | null> {
    return this.#options.measurements.read(probeKey(kind), probeResult, validFor);
  }

  async #barred(kind: EngineKind, experiment?: Experiment): Promise<z.infer<typeof bar>> {
    const read = (key: string) => this.#options.measurements.read(key, bar, Infinity);
    return (await read(barKey(kind))) ?? (experiment ? read(barKey(kind, experiment)) : null);
  }

  #save(key: string, value: unknown): Promise<void> {
    return this.#options.measurements.save(key, value);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work).finally(() => this.#options.onWorking({ kind: null, doing: "probing" }));
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** The engine that comes along and is fast. */
const usual: EngineKind = "onnx-cpu";

const mayBeFastest = ({ kind, barred, problem, description }: EngineState) => !onDemand.has(kind) && !barred && problem === null && (description !== null || kind === usual);

/** Where nothing was measured because there is nothing to choose among. */
function onlyOne(engines: readonly EngineState[]): EngineReport["choice"] {
  const fast = engines.filter(({ kind }) => !onDemand.has(kind));
  const [one, another] = fast.filter(mayBeFastest);
  const allKnown = fast.every((engine) => mayBeFastest(engine) || engine.barred || engine.problem !== null);
  return one && !another && allKnown ? { kind: one.kind, why: "the only one of the fast engines that works here, so that nothing was measured" } : null;
}

function choiceAmong(engines: readonly EngineState[]): EngineReport["choice"] {
  const measured = engines.filter((one): one is EngineState & { step: number } => one.step !== null && !one.barred && one.kind !== "reference").sort((a, b) => a.step - b.step);
  const [fastest, second] = measured;
  if (!fastest) return null;
  const told = ({ kind, step }: { kind: EngineKind; step: number }) => `${engineFacts[kind].title} with ${Number(step.toPrecision(3))} ms`;
  const along = measured.find(({ kind }) => kind === usual);
  if (along && along !== fastest && fastest.step > worthIt * along.step) {
    return { kind: along.kind, why: `hardly slower than the fastest of ${measured.length} measured (${Number(along.step.toPrecision(3))} ms a step; ${told(fastest)}), and it reruns bit for bit` };
  }
  const after = second ? `, before ${told(second)}` : "";
  return { kind: fastest.kind, why: `the fastest of ${measured.length} measured: ${Number(fastest.step.toPrecision(3))} ms a step${after}` };
}

const lostInWords = (lost: Lost) => ("late" in lost ? `it did not answer within ${lost.late / 1000} s` : lost.crash);
const probeKey = (kind: EngineKind) => `engine ${kind}: looked for`;
const barKey = (kind: EngineKind, experiment?: Experiment) => `engine ${kind}: failed${experiment ? ` with ${programOf(experiment, kind)}` : ""}`;
const measureKey = (experiment: Experiment) => `engines: ${programOf(experiment, "auto")} on ${experiment.engine.threads} threads`;
