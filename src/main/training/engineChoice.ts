/**
 * Which engine is fastest here: a few dozen steps of the program at hand on each that loads, each
 * in a process of its own, so that a native crash or a hang costs nothing. What was measured is
 * kept for the program and the machine; what crashed is remembered and not picked until a person
 * has it tried again.
 */
import { z } from "zod";
import { engineDescription, engineFacts, engineKinds, type EngineKind, type EngineReport, type EngineState } from "../../shared/engines.ts";
import { experiment as experimentSchema, type Experiment } from "../../shared/experiment.ts";
import type { Store } from "../store/store.ts";
import { crashInWords } from "./crash.ts";
import { machineSignature } from "./machine.ts";
import type { FromTrainer, ToTrainer } from "./messages.ts";
import type { LaunchTrainer } from "./process.ts";
import { programOf } from "./programOf.ts";

export interface Working {
  readonly kind: EngineKind | null;
  readonly doing: "looking" | "measuring";
}

export interface EngineChoiceOptions {
  /** Processes of their own: a crash must not take a warm trainer along. */
  readonly launch: LaunchTrainer;
  readonly store: Pick<Store, "studies">;
  readonly version: string;
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

const bar = z.object({ at: z.number(), reason: z.string() }).nullable();
const looked = z.object({ problem: z.string().nullable(), description: engineDescription.nullable() });
const measurements = z.object({ at: z.number(), steps: z.partialRecord(z.enum(engineKinds), z.number()) });

type Answer = { readonly message: FromTrainer } | { readonly crash: string };

export class EngineChoice {
  readonly #options: EngineChoiceOptions;
  readonly #machine: Promise<string>;
  readonly #kinds: readonly EngineKind[];
  readonly #live = new Set<{ kill(): void }>();
  /** One task at a time: two would measure one another. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: EngineChoiceOptions) {
    this.#options = options;
    this.#kinds = options.kinds ?? engineKinds;
    this.#machine = machineSignature(options.version);
  }

  /** Every engine, looked for where that has not been done on this machine. */
  report(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(() => this.#look(this.#kinds, experiment));
  }

  /** Measures the program on every engine that loads and did not crash before. */
  calibrate(experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(() => this.#measure(experiment));
  }

  /** Forgets what happened to an engine and looks for it again. */
  retry(kind: EngineKind, experiment?: Experiment): Promise<EngineReport> {
    return this.#inTurn(async () => {
      await this.#save(barKey(kind), null);
      await this.#save(barKey(kind, experiment), null);
      await this.#save(lookKey(kind), null);
      return this.#look(this.#kinds, experiment);
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
    const kind = (await this.#known(experiment)).choice?.kind ?? "onnx-cpu";
    return { ...experiment, engine: { ...experiment.engine, kind } };
  }

  /** A run on this engine crashed it, lost its device, or ran out of memory with this program. */
  async failed(kind: EngineKind, reason: string, experiment?: Experiment): Promise<void> {
    await this.#save(barKey(kind, experiment), { at: Date.now(), reason });
  }

  close(): void {
    this.#closed = true;
    for (const process of this.#live) process.kill();
  }

  async #choose(experiment: Experiment): Promise<{ kind: EngineKind; why: string }> {
    const fixed = this.#options.fixed ?? process.env["HYPERTOWER_ENGINE"];
    if (fixed !== undefined && fixed !== "") {
      const kind = engineKinds.find((one) => one === fixed);
      if (!kind) throw new NoEngineError(`HYPERTOWER_ENGINE is ${fixed}; allowed: ${engineKinds.join(", ")}`);
      return { kind, why: "HYPERTOWER_ENGINE names it" };
    }
    const known = (await this.#known(experiment)).choice ?? (await this.calibrate(experiment)).choice;
    if (known) return known;
    const { engines } = await this.#known(experiment);
    const said = engines.map(({ kind, problem, barred }) => `${kind}: ${barred?.reason ?? problem ?? "it was not measured"}`);
    throw new NoEngineError(`No engine can be chosen. ${said.join("; ")}. The page Engines and "hypertower engines --retry KIND" have one tried again.`);
  }

  async #measure(experiment = experimentSchema.parse({})): Promise<EngineReport> {
    const steps: Partial<Record<EngineKind, number>> = {};
    for (const kind of this.#kinds.filter((one) => one !== "reference")) {
      if (this.#closed || (await this.#barred(kind, experiment))) continue;
      this.#options.onWorking({ kind, doing: "measuring" });
      const answer = await this.#ask({ type: "measure", experiment: { ...experiment, engine: { ...experiment.engine, kind } }, cohort: 1, stepsOnly: true });
      if ("crash" in answer) {
        // One that was ended because Hypertower closes did not crash.
        if (!this.#closed) await this.failed(kind, answer.crash);
        continue;
      }
      const { message } = answer;
      if (message.type === "measured") {
        steps[kind] = message.measurement.step;
        await this.#save(lookKey(kind), { problem: null, description: message.description });
      } else if (message.type === "failed") {
        if (message.engine) await this.failed(kind, message.message, message.engine === "memory" ? experiment : undefined);
        else await this.#save(lookKey(kind), { problem: withoutName(message.message), description: null });
      }
    }
    if (!this.#closed) await this.#save(measureKey(experiment), { at: Date.now(), steps });
    return this.#look(this.#kinds, experiment);
  }

  async #look(kinds: readonly EngineKind[], experiment?: Experiment): Promise<EngineReport> {
    for (const kind of kinds) {
      if (this.#closed || (await this.#looked(kind)) || (await this.#barred(kind, experiment))) continue;
      this.#options.onWorking({ kind, doing: "looking" });
      const answer = await this.#ask({ type: "look", kind });
      if ("crash" in answer) {
        if (!this.#closed) await this.failed(kind, answer.crash);
      } else if (answer.message.type === "found") await this.#save(lookKey(kind), { problem: null, description: answer.message.description });
      else if (answer.message.type === "failed") await this.#save(lookKey(kind), { problem: withoutName(answer.message.message), description: null });
    }
    return this.#known(experiment);
  }

  /** What is known without trying anything. */
  async #known(experiment = experimentSchema.parse({})): Promise<EngineReport> {
    const measured = await this.#read(measureKey(experiment), measurements);
    const engines: EngineState[] = [];
    for (const kind of this.#kinds) {
      const { problem = null, description = null } = (await this.#looked(kind)) ?? {};
      engines.push({ kind, problem, description, barred: await this.#barred(kind, experiment), step: measured?.steps[kind] ?? null });
    }
    return { engines, choice: choiceAmong(engines), measuredAt: measured?.at ?? null };
  }

  #looked(kind: EngineKind): Promise<z.infer<typeof looked> | null> {
    return this.#read(lookKey(kind), looked);
  }

  async #barred(kind: EngineKind, experiment?: Experiment): Promise<z.infer<typeof bar>> {
    return (await this.#read(barKey(kind), bar, 0)) ?? (experiment ? this.#read(barKey(kind, experiment), bar, 0) : null);
  }

  async #read<T>(key: string, schema: z.ZodType<T>, after = Date.now() - validFor): Promise<T | null> {
    const stored = this.#options.store.studies.calibration(key, await this.#machine, after);
    const parsed = stored === undefined ? undefined : schema.safeParse(JSON.parse(stored));
    return parsed?.success ? parsed.data : null;
  }

  async #save(key: string, value: unknown): Promise<void> {
    this.#options.store.studies.saveCalibration(key, await this.#machine, JSON.stringify(value));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work).finally(() => this.#options.onWorking({ kind: null, doing: "looking" }));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** What a process of its own answers, or how it went down. */
  #ask(message: ToTrainer): Promise<Answer> {
    const { launch, within = 120_000 } = this.#options;
    return new Promise((resolve) => {
      const trainer = launch();
      this.#live.add(trainer);
      const timer = setTimeout(() => {
        resolve({ crash: `it did not answer within ${within / 1000} s` });
        trainer.kill();
      }, within);
      trainer.onMessage((answer) => {
        if (answer.type === "measured" || answer.type === "found" || answer.type === "failed") resolve({ message: answer });
      });
      trainer.onExit((exit) => {
        clearTimeout(timer);
        this.#live.delete(trainer);
        resolve({ crash: crashInWords(exit) });
      });
      trainer.send(message);
    });
  }
}

function choiceAmong(engines: readonly EngineState[]): EngineReport["choice"] {
  const measured = engines.filter((one): one is EngineState & { step: number } => one.step !== null && !one.barred).sort((a, b) => a.step - b.step);
  const [fastest, second] = measured;
  if (!fastest) return null;
  const told = ({ kind, step }: { kind: EngineKind; step: number }) => `${engineFacts[kind].title} with ${Number(step.toPrecision(3))} ms`;
  const usual = measured.find(({ kind }) => kind === "onnx-cpu");
  if (usual && usual !== fastest && fastest.step > worthIt * usual.step) {
    return { kind: usual.kind, why: `hardly slower than the fastest of ${measured.length} measured (${Number(usual.step.toPrecision(3))} ms a step; ${told(fastest)}), and it reruns bit for bit` };
  }
  const after = second ? `, before ${told(second)}` : "";
  return { kind: fastest.kind, why: `the fastest of ${measured.length} measured: ${Number(fastest.step.toPrecision(3))} ms a step${after}` };
}

const withoutName = (message: string) => message.replace(/^The engine \S+ cannot be used here: /, "");
const lookKey = (kind: EngineKind) => `engine ${kind}: looked for`;
const barKey = (kind: EngineKind, experiment?: Experiment) => `engine ${kind}: failed${experiment ? ` with ${programOf(experiment, kind)}` : ""}`;
const measureKey = (experiment: Experiment) => `engines: ${programOf(experiment, "auto")} on ${experiment.engine.threads} threads`;
