/** Probes and measures engines in separate processes, so that a native crash or a hang does no harm. */
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { crashInWords, exitInWords, isUnlaunched } from "./crash.ts";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { StartTrainer, Trainer } from "./process.ts";

export interface ProbeResult {
  /** Why the engine cannot be used here; null when it can. */
  readonly problem: string | null;
  readonly description: EngineDescription | null;
}

/** `crash`: how the process ended; `late`: milliseconds without an answer after which it was killed. */
export type Lost = { readonly crash: string } | { readonly late: number };

export type Measured =
  | { readonly step: number; readonly description: EngineDescription }
  | { readonly unavailable: string }
  | { readonly failed: string; readonly engine: "device" | "memory" | undefined }
  | Lost;

export interface EngineTrialsOptions {
  readonly startTrainer: StartTrainer;
  /** A process that does not answer within this time after its launch (milliseconds) hangs. */
  readonly within: number;
}

export class EngineTrials {
  readonly #options: EngineTrialsOptions;
  readonly #live = new Set<Trainer>();
  #closed = false;

  constructor(options: EngineTrialsOptions) {
    this.#options = options;
  }

  /**
   * Probes engines one after another. A process probes until it finds an engine: its native code may
   * conflict with another engine's, which gets a new process.
   * @param beginning called before each probe
   */
  async probe(kinds: readonly EngineKind[], beginning: (kind: EngineKind) => void): Promise<Map<EngineKind, ProbeResult | Lost>> {
    const all = new Map<EngineKind, ProbeResult | Lost>();
    for (;;) {
      const left = kinds.filter((kind) => !all.has(kind));
      if (left.length === 0 || this.#closed) return all;
      await this.#probeUntilFound(left, beginning, all);
    }
  }

  /**
   * Measures a few dozen steps of a program on its engine.
   * @param longest milliseconds after which fewer steps suffice
   * @param within milliseconds after which the process is killed
   */
  async measure(experiment: Experiment, longest?: number, within = this.#options.within): Promise<Measured> {
    const order = { type: "measure", experiment, cohort: 1, stepsOnly: true, ...(longest !== undefined && { longest }) } as const;
    let answer: Measured | undefined;
    const lost = await this.#inProcess(order, within, ({ message, done }) => {
      if (message.type === "measured") answer ??= { step: message.measurement.step, description: message.description };
      if (message.type === "failed") answer ??= message.unavailable === undefined ? { failed: message.message, engine: message.engine } : { unavailable: message.unavailable };
      if (answer) done();
    });
    return answer ?? lost;
  }

  close(): void {
    this.#closed = true;
    for (const process of this.#live) process.kill();
  }

  async #probeUntilFound(kinds: readonly EngineKind[], beginning: (kind: EngineKind) => void, into: Map<EngineKind, ProbeResult | Lost>): Promise<void> {
    const left = [...kinds];
    const begin = () => {
      if (left[0]) beginning(left[0]);
    };
    begin();
    let found = false;
    const lost = await this.#inProcess({ type: "probe", kinds }, this.#options.within, ({ message, more, done }) => {
      if (message.type !== "probed" || message.kind !== left[0]) return;
      left.shift();
      into.set(message.kind, { problem: message.problem, description: message.description });
      found = message.description !== null;
      if (found || left.length === 0) return done();
      more();
      begin();
    });
    if (!found && left[0]) into.set(left[0], lost);
  }

  /** Resolves on `done()`, exit or timeout; `more()` restarts the timeout. @throws Error when the process cannot be launched */
  #inProcess(order: ToTrainer, within: number, hear: (heard: { message: FromTrainer; more: () => void; done: () => void }) => void): Promise<Lost> {
    return new Promise((resolve, reject) => {
      const trainer = this.#options.startTrainer();
      this.#live.add(trainer);
      let timer: NodeJS.Timeout | undefined;
      const more = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          resolve({ late: within });
          trainer.kill();
        }, within);
      };
      void trainer.launched.then((launched) => launched && more());
      const done = () => resolve({ crash: "" });
      trainer.onMessage((message) => hear({ message, more, done }));
      trainer.onExit((exit) => {
        clearTimeout(timer);
        this.#live.delete(trainer);
        // A failed launch is not the engine's fault.
        if (isUnlaunched(exit)) reject(new Error(exitInWords(exit)));
        else resolve({ crash: crashInWords(exit) });
      });
      trainer.send(order);
    });
  }
}
