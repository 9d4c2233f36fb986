/**
 * Chooses the fastest engine for a program by measuring a few dozen steps on each engine that
 * loads. Measurements are stored per program and machine. An engine that failed is barred until
 * the user retries it. An automatic choice measures only engines that may be the fastest; where
 * only one may be, it is chosen without measuring.
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
  /** Starts processes of their own: a crash must not end a warm trainer. */
  readonly startTrainer: StartTrainer;
  readonly measurements: Measurements;
  readonly onWorking: (working: Working) => void;
  /** Known engines; all by default. */
  readonly kinds?: readonly EngineKind[];
  /** A process that does not answer within this time (milliseconds) hangs. */
  readonly within?: number;
  /** Engine of every automatic choice, unmeasured; HYPERTOWER_ENGINE by default. */
  readonly fixed?: string | undefined;
}

/** No engine can be chosen automatically. */
export class NoEngineError extends Error {}

/** Measurements expire after this time (milliseconds): the machine may have been busy, or a driver is new. */
const validFor = 30 * 24 * 3_600_000;

/** Max share of the default engine's step time that another engine may take to be preferred. The default engine reruns bit for bit. */
const worthIt = 0.9;

/** Much slower than others on every machine. Measured only on request, or when nothing else works. */
const onDemand: ReadonlySet<EngineKind> = new Set(["tfjs-wasm", "tfjs-cpu", "reference"]);

/** Limit (milliseconds) for the engines in `onDemand`. They use no driver: one that takes longer is slow, it does not hang. */
const patience = 30_000;

/** Milliseconds that suffice to show that an engine is slower than one with this step time. */
const enoughFor = (step: number) => Math.min(4_000, Math.max(400, 3 * 32 * step));

const bar = z.object({ at: z.number(), reason: z.string() }).nullable();
const probeResult = z.object({ problem: z.string().nullable(), description: engineDescription.nullable() });
const measurements = z.object({
  at: z.number(),
  steps: z.partialRecord(z.enum(engineKinds), z.number()),
  /** Why an engine that loads has no measurement. */
  unmeasured: z.partialRecord(z.enum(engineKinds), z.string()).default({}),
});

export class EngineChoice {
  readonly #options: EngineChoiceOptions;
  readonly #kinds: readonly EngineKind[];
  readonly #trials: EngineTrials;
  readonly #within: number;
  /** One task at a time: concurrent ones would distort each other's measurements. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: EngineChoiceOptions) {
    this.#options = options;
    this.#kinds = options.kinds ?? engineKinds;
    this.#within = options.within ?? 120_000;
    this.#trials = new EngineTrials({ startTrainer: options.startTrainer, within: this.#within });
  }

  /** Reports every engine; probes those not probed on this machine yet. */
  report(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(() => this.#probe(this.#kinds, experiment));
  }

  /** Measures the program on every engine that loads and is not barred. */
  calibrate(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(async () => {
      // Missing engines may have been installed since.
      await this.#probe(this.#kinds, experiment, true);
      return this.#measure(this.#kinds, experiment);
    });
  }

  /** Forgets an engine's failures and probes it again. */
  retry(kind: EngineKind, experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(async () => {
      await this.#save(barKey(kind), null);
      await this.#save(barKey(kind, experiment), null);
      await this.#save(probeKey(kind), null);
      return this.#probe(this.#kinds, experiment);
    });
  }

  /**
   * The experiment with a named engine; `auto` becomes the fastest for its program.
   * @throws NoEngineError when none can be chosen
   */
  async resolve(experiment: Experiment): Promise<{ readonly experiment: Experiment; readonly why: string }> {
    if (experiment.engine.kind !== "auto") return { experiment, why: "named in the experiment" };
    const { kind, why } = await this.#choose(experiment);
    return { experiment: { ...experiment, engine: { ...experiment.engine, kind } }, why };
  }

  /** resolve() without measuring, for estimates: uses earlier measurements, or else the default engine. */
  async likely(experiment: Experiment): Promise<Experiment> {
    if (experiment.engine.kind !== "auto") return experiment;
    const kind = this.#fixed() ?? (await this.#known(experiment)).choice?.kind ?? defaultEngine;
    return { ...experiment, engine: { ...experiment.engine, kind } };
  }

  /** Bars an engine that crashed, hung or lost its device; with an experiment, for its program only. */
  async failed(kind: EngineKind, reason: string, experiment?: Experiment): Promise<void> {
    await this.#save(barKey(kind, experiment), { at: Date.now(), reason });
  }

  close(): void {
    this.#closed = true;
    this.#trials.close();
  }

  /** @throws NoEngineError when no engine has this name */
  #fixed(): EngineKind | null {
    const fixed = this.#options.fixed ?? process.env["HYPERTOWER_ENGINE"];
    if (fixed === undefined || fixed === "") return null;
    const kind = engineKinds.find((known) => known === fixed);
    if (!kind) throw new NoEngineError(`HYPERTOWER_ENGINE is ${fixed}; allowed: ${engineKinds.join(", ")}`);
    return kind;
  }

  async #choose(experiment: Experiment): Promise<{ kind: EngineKind; why: string }> {
    const fixed = this.#fixed();
    if (fixed) return { kind: fixed, why: "HYPERTOWER_ENGINE names it" };
    const { choice, engines } = await this.#inTurn(() => this.#measureFastEngines(experiment));
    if (choice) return choice;
    const reasons = engines.map(({ kind, problem, barred, unmeasured }) => `${kind}: ${barred?.reason ?? problem ?? unmeasured ?? "it is not chosen automatically"}`);
    throw new NoEngineError(`No engine can be chosen. ${reasons.join("; ")}. Retry an engine on the page Engines or with "hypertower engines --retry KIND".`);
  }

  async #measureFastEngines(experiment: Experiment): Promise<EngineReport> {
    const kinds = this.#kinds.filter((kind) => !onDemand.has(kind));
    const known = await this.#probe(kinds.filter((kind) => kind !== defaultEngine), experiment);
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
      const onEngine = { ...experiment, engine: { ...experiment.engine, kind } };
      const answer = await this.#trials.measure(onEngine, Number.isFinite(best) ? enoughFor(best) : undefined, onDemand.has(kind) ? Math.min(patience, this.#within) : this.#within);
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

  /** Probes engines that were not probed yet. @param again also those that were missing before */
  async #probe(kinds: readonly EngineKind[], experiment?: Experiment, again = false): Promise<EngineReport> {
    const open: EngineKind[] = [];
    for (const kind of kinds) {
      const known = await this.#probed(kind);
      if (!(known && (known.problem === null || !again)) && !(await this.#barred(kind, experiment))) open.push(kind);
    }
    const found = await this.#trials.probe(open, (kind) => this.#options.onWorking({ kind, doing: "probing" }));
    if (!this.#closed) {
      for (const [kind, result] of found) {
        if (!("problem" in result)) await this.failed(kind, lostInWords(result));
        else await this.#save(probeKey(kind), result);
      }
    }
    return this.#known(experiment);
  }

  /** Report from stored results, without starting a process. */
  async #known(experiment = experimentSchema.parse({})): Promise<EngineReport> {
    const measured = await this.#options.measurements.read(measureKey(experiment), measurements, validFor);
    const engines: EngineState[] = [];
    for (const kind of this.#kinds) {
      const { problem = null, description = null } = (await this.#probed(kind)) ?? {};
      const { steps, unmeasured } = measured ?? { steps: {}, unmeasured: {} };
      engines.push({ kind, problem, description, barred: await this.#barred(kind, experiment), step: steps[kind] ?? null, unmeasured: unmeasured[kind] ?? null });
    }
    return { engines, choice: measured ? choiceAmong(engines) : onlyFastEngine(engines), measuredAt: measured?.at ?? null };
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

/** Comes with Hypertower and is fast. */
const defaultEngine: EngineKind = "onnx-cpu";

const mayBeFastest = ({ kind, barred, problem, description }: EngineState) => !onDemand.has(kind) && !barred && problem === null && (description !== null || kind === defaultEngine);

/** Choice without measurements: the only fast engine that works, once all are probed. */
function onlyFastEngine(engines: readonly EngineState[]): EngineReport["choice"] {
  const fast = engines.filter(({ kind }) => !onDemand.has(kind));
  const [first, second] = fast.filter(mayBeFastest);
  const allKnown = fast.every((engine) => mayBeFastest(engine) || engine.barred || engine.problem !== null);
  return first && !second && allKnown ? { kind: first.kind, why: "the only one of the fast engines that works here, so that nothing was measured" } : null;
}

function choiceAmong(engines: readonly EngineState[]): EngineReport["choice"] {
  const measured = engines.filter((engine): engine is EngineState & { step: number } => engine.step !== null && !engine.barred && engine.kind !== "reference").sort((a, b) => a.step - b.step);
  const [fastest, second] = measured;
  if (!fastest) return null;
  const stepWords = ({ kind, step }: { kind: EngineKind; step: number }) => `${engineFacts[kind].title} with ${Number(step.toPrecision(3))} ms`;
  const standard = measured.find(({ kind }) => kind === defaultEngine);
  if (standard && standard !== fastest && fastest.step > worthIt * standard.step) {
    return { kind: standard.kind, why: `hardly slower than the fastest of ${measured.length} measured (${Number(standard.step.toPrecision(3))} ms a step; ${stepWords(fastest)}), and it reruns bit for bit` };
  }
  const after = second ? `, before ${stepWords(second)}` : "";
  return { kind: fastest.kind, why: `the fastest of ${measured.length} measured: ${Number(fastest.step.toPrecision(3))} ms a step${after}` };
}

const lostInWords = (lost: Lost) => ("late" in lost ? `it did not answer within ${lost.late / 1000} s` : lost.crash);
const probeKey = (kind: EngineKind) => `engine ${kind}: looked for`;
const barKey = (kind: EngineKind, experiment?: Experiment) => `engine ${kind}: failed${experiment ? ` with ${programOf(experiment, kind)}` : ""}`;
const measureKey = (experiment: Experiment) => `engines: ${programOf(experiment, "auto")} on ${experiment.engine.threads} threads`;
