/** The trainer of a run that trains at a fleet, to its host: what was handed in comes as if a trainer process said it. */
import { isDeepStrictEqual } from "node:util";
import type { FromTrainer, ToTrainer } from "../../trainer/messages.ts";
import type { RemoteTraining, Trainer } from "../../hosting/process.ts";
import { TrainerListeners } from "../../hosting/trainerListeners.ts";
import type { LoggedMessage } from "../segment.ts";
import type { UnitSteering } from "../fleet.ts";

export type Start = Extract<ToTrainer, { type: "start" }>;

export interface RemoteTrainerHooks {
  readonly onSteer: (trainer: RemoteTrainer, steering: Exclude<UnitSteering["type"], "leave">) => void;
  /** The host wants no more of the run; its training is to end. */
  readonly onKill: (trainer: RemoteTrainer) => void;
  /** The host lets go of the run, which goes on. */
  readonly onLeave: (trainer: RemoteTrainer) => void;
}

export class RemoteTrainer extends TrainerListeners implements Trainer {
  readonly launched: Promise<boolean>;
  readonly pid = undefined;
  readonly seat: number;
  readonly remote: RemoteTraining = { leave: () => this.#leave() };
  order: Start | undefined;
  readonly #hooks: RemoteTrainerHooks;
  readonly #resolveLaunched: (launched: boolean) => void;
  /** Reports that the host has not stored. */
  #outstanding = 0;
  #settled: (() => void)[] = [];
  #left = false;

  constructor(seat: number, hooks: RemoteTrainerHooks) {
    super();
    this.seat = seat;
    this.#hooks = hooks;
    ({ promise: this.launched, resolve: this.#resolveLaunched } = Promise.withResolvers<boolean>());
    this.onExit(() => {
      this.#resolveLaunched(false);
      this.#settle();
    });
  }

  get run(): string {
    return this.order?.checkpoints?.run ?? "";
  }

  /** Whether the host let go of the run: what is handed in from now on is not its. */
  get left(): boolean {
    return this.#left;
  }

  send(message: ToTrainer): void {
    if (this.gone) return;
    if (message.type === "start") this.order = message;
    else if (message.type === "stored") {
      this.#outstanding = Math.max(0, this.#outstanding - message.reports);
      if (this.#outstanding === 0) this.#settle();
    } else if (message.type === "pause" || message.type === "resume" || message.type === "stop") this.#hooks.onSteer(this, message.type);
  }

  kill(): void {
    if (this.gone) return;
    this.#hooks.onKill(this);
    this.exited({ code: 0, signal: null, stderr: "" });
  }

  /** Its unit has begun. */
  async begun(): Promise<void> {
    this.#resolveLaunched(true);
    // Its host learns of the launch in the next turn.
    await this.launched;
    await Promise.resolve();
  }

  hand(message: LoggedMessage | Extract<FromTrainer, { type: "started" | "mark" }>): void {
    if (this.gone) return;
    if (message.type === "rows" || message.type === "evaluation" || message.type === "mark") this.#outstanding++;
    this.receive(message);
  }

  /** Resolves once all that was handed over is committed, or never will be. */
  settled(): Promise<void> {
    if (this.#outstanding === 0 || this.gone) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  #leave(): void {
    if (this.gone) return;
    this.#left = true;
    this.#hooks.onLeave(this);
    this.exited({ code: 0, signal: null, stderr: "" });
  }

  #settle(): void {
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }
}

/** Whether two runs may train in one unit. */
export const sameNeeds = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);
