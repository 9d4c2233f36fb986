/** Engines tried in processes of their own, so that a native crash or a hang costs nothing. */
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { crashInWords, exitInWords, isUnlaunched } from "./crash.ts";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { StartTrainer, Trainer } from "./process.ts";

export interface ProbeResult {
  /** Why it cannot be used here; null when it can. */
  readonly problem: string | null;
  readonly description: EngineDescription | null;
}

/** `crash`: how its process went down; `late`: it was ended after so many milliseconds without an answer. */
export type Lost = { readonly crash: string } | { readonly late: number };

export type Measured =
  | { readonly step: number; readonly description: EngineDescription }
  | { readonly unavailable: string }
  | { readonly failed: string; readonly engine: "device" | "memory" | undefined }
  | Lost;

export interface EngineTrialsOptions {
  readonly startTrainer: StartTrainer;
  /** A process that has not answered by then (milliseconds) after its launch hangs. */
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
   * Looks for engines, one after another. A process that found none goes on with the next; one that
   * found an engine has loaded native code, which need not go together with another's.
   * @param beginning with an engine
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
   * A few dozen steps of a program, on its engine.
   * @param longest milliseconds after which fewer steps are enough
   * @param within milliseconds after which it is given up
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

  /** Resolves at `done`, or when the process is gone or its time is over; `more` gives it that time anew. @throws Error when it cannot be launched */
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
        // That says nothing of the engine.
        if (isUnlaunched(exit)) reject(new Error(exitInWords(exit)));
        else resolve({ crash: crashInWords(exit) });
      });
      trainer.send(order);
    });
  }
}
