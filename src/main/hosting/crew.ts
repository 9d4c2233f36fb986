/**
 * One trainer process for the runs of a cohort. Each run has a place: a trainer process as it
 * sees it, which starts, reports and exits as if it were its own.
 */
import { messageOf } from "../../shared/errors.ts";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "./process.ts";

type Start = Extract<ToTrainer, { type: "start" }>;

export class Crew {
  readonly #launch: LaunchTrainer;
  readonly #size: number;
  readonly #places: Place[] = [];
  #process: TrainerProcess | undefined;

  /** @param size seats of the cohort's program, of which some may stay empty */
  constructor(launch: LaunchTrainer, size: number) {
    this.#launch = launch;
    this.#size = size;
  }

  /** The trainer of the run that takes a seat; for Supervisor, before go(). */
  readonly at = (seat: number): LaunchTrainer => () => {
    const place = new Place(seat, this);
    this.#places.push(place);
    return place;
  };

  /** Starts the process for all that have a place. */
  go(): void {
    const members = this.#places.flatMap(({ seat, started }) => (started ? [{ ...started, seat }] : []));
    try {
      const process = this.#launch();
      this.#process = process;
      process.onMessage((message) => this.#receive(message));
      process.onExit((exit) => {
        for (const place of this.#places) place.exited(exit);
      });
      process.send({ type: "startCohort", size: this.#size, members: members.map(({ type: _type, stay: _stay, ...order }) => order) });
    } catch (error) {
      for (const place of this.#places) place.exited({ code: null, signal: null, stderr: messageOf(error) });
    }
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What concerns the process, whichever run it is said of. */
  tell(message: Extract<ToTrainer, { type: "coreFree" }>): void {
    this.#process?.send(message);
  }

  steer(place: Place, message: Extract<ToTrainer, { type: "member" }>["message"]): void {
    this.#process?.send({ type: "member", member: this.#places.indexOf(place), message });
  }

  /** A run is to go that does not end by itself. The process goes with the last of them: it may hang, and the others with it. */
  kill(place: Place): void {
    if (this.#places.some((other) => other !== place && !other.gone)) {
      this.steer(place, { type: "stop" });
      place.exited({ code: null, signal: "SIGKILL", stderr: "" });
    } else this.#process?.kill();
  }

  #receive(message: FromTrainer): void {
    if (message.type === "member") {
      const place = this.#places[message.member];
      const said = message.message;
      // The member of a run that has ended would wait for an answer.
      if (place?.gone && said.type === "file") this.steer(place, { type: "fileTaken", kind: said.kind, step: said.step, end: { problem: "the run has ended" } });
      else place?.receive(said);
      return;
    }
    // What concerns the process concerns them all.
    if (message.type === "failed") for (const place of this.#places) place.receive(message);
  }
}

class Place implements TrainerProcess {
  readonly seat: number;
  started: Start | undefined;
  readonly #crew: Crew;
  readonly #messages = new Set<(message: FromTrainer) => void>();
  readonly #exits = new Set<(exit: TrainerExit) => void>();
  #exit: TrainerExit | undefined;

  constructor(seat: number, crew: Crew) {
    this.seat = seat;
    this.#crew = crew;
  }

  get pid(): number | undefined {
    return this.#crew.pid;
  }

  get gone(): boolean {
    return this.#exit !== undefined;
  }

  send(message: ToTrainer): void {
    if (this.#exit) return;
    if (message.type === "start") this.started = message;
    else if (message.type === "pause" || message.type === "resume" || message.type === "stop" || message.type === "leave" || message.type === "fileTaken" || message.type === "resumeFrom") this.#crew.steer(this, message);
    else if (message.type === "coreFree") this.#crew.tell(message);
    else throw new Error(`a run of a cohort cannot be sent ${message.type}`);
  }

  onMessage(listener: (message: FromTrainer) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }

  onExit(listener: (exit: TrainerExit) => void): () => void {
    this.#exits.add(listener);
    return () => this.#exits.delete(listener);
  }

  kill(): void {
    if (!this.#exit) this.#crew.kill(this);
  }

  receive(message: FromTrainer): void {
    if (this.#exit) return;
    for (const listener of this.#messages) listener(message);
    if (message.type === "ended" || message.type === "failed") this.exited({ code: 0, signal: null, stderr: "" });
  }

  exited(exit: TrainerExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    for (const listener of this.#exits) listener(exit);
  }
}
