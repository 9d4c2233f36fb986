/** A trainer whose process may still be launching. */
import { messageOf } from "../../shared/errors.ts";
import type { ToTrainer } from "../trainer/messages.ts";
import type { LaunchTrainer, Trainer, TrainerProcess } from "./process.ts";
import { TrainerListeners } from "./trainerListeners.ts";

export class LaunchingTrainer extends TrainerListeners implements Trainer {
  readonly launched: Promise<boolean>;
  /** Resolves when no process is left. A trainer killed during its launch exits before. */
  readonly processGone: Promise<unknown>;
  readonly #resolveGone: (value: undefined) => void;
  readonly #waiting: ToTrainer[] = [];
  #process: TrainerProcess | undefined;

  constructor(launch: LaunchTrainer) {
    super();
    ({ promise: this.processGone, resolve: this.#resolveGone } = Promise.withResolvers<undefined>());
    // async: catches a launcher that throws synchronously.
    const launching = (async () => launch())();
    this.launched = launching.then(
      (process) => this.#arrived(process),
      (error: unknown) => {
        this.exited({ code: null, signal: null, stderr: messageOf(error) });
        this.#resolveGone(undefined);
        return false;
      },
    );
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  send(message: ToTrainer): void {
    if (this.gone) return;
    if (this.#process) this.#process.send(message);
    else this.#waiting.push(message);
  }

  kill(): void {
    if (this.#process) this.#process.kill();
    else this.exited({ code: null, signal: "SIGKILL", stderr: "" });
  }

  #arrived(process: TrainerProcess): boolean {
    process.onMessage((message) => this.receive(message));
    process.onExit((exit) => {
      this.exited(exit);
      this.#resolveGone(undefined);
    });
    this.#process = process;
    if (this.gone) {
      process.kill();
      return false;
    }
    for (const message of this.#waiting.splice(0)) process.send(message);
    return true;
  }
}
