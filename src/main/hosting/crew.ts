/**
 * One trainer process for the runs of a cohort. Each run has a place: a trainer of its own as it
 * sees it, which starts, reports and exits by itself.
 */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { StartTrainer, Trainer } from "./process.ts";
import { TrainerListeners } from "./trainerListeners.ts";

type Start = Extract<ToTrainer, { type: "start" }>;
type MemberMessage = Extract<ToTrainer, { type: "member" }>["message"];

export class Crew {
  readonly #start: StartTrainer;
  readonly #size: number;
  /** In the order of the process's members, once they have begun. */
  #places: Place[] = [];
  #trainer: Trainer | undefined;
  /** What is said to members before they have begun. */
  #waiting: [Place, MemberMessage][] | undefined = [];

  /** @param size seats of the cohort's program, of which some may stay empty */
  constructor(start: StartTrainer, size: number) {
    this.#start = start;
    this.#size = size;
  }

  /** The trainer of the run that takes a seat; for Supervisor, before go(). */
  readonly at = (seat: number): StartTrainer => () => {
    const place = new Place(seat, this);
    this.#places.push(place);
    return place;
  };

  /** Launches the process for all that have a place. */
  go(): void {
    const trainer = (this.#trainer = this.#start());
    trainer.onMessage((message) => this.#receive(message));
    trainer.onExit((exit) => {
      for (const place of this.#places) place.exited(exit);
    });
    void trainer.launched.then((launched) => launched && this.#begin(trainer));
  }

  get pid(): number | undefined {
    return this.#trainer?.pid;
  }

  /** What concerns the process, whichever run it is said of. */
  tell(message: Extract<ToTrainer, { type: "coreFree" }>): void {
    this.#trainer?.send(message);
  }

  steer(place: Place, message: MemberMessage): void {
    if (this.#waiting) this.#waiting.push([place, message]);
    else this.#trainer?.send({ type: "member", member: this.#places.indexOf(place), message });
  }

  /** A run is to go that does not end by itself. The process goes with the last of them: it may hang, and the others with it. */
  kill(place: Place): void {
    if (this.#places.some((other) => other !== place && !other.gone)) {
      this.steer(place, { type: "stop" });
      place.exited({ code: null, signal: "SIGKILL", stderr: "" });
    } else this.#trainer?.kill();
  }

  /** Those that left while the process was on its way take no part. */
  #begin(trainer: Trainer): void {
    this.#places = this.#places.filter(({ gone, order }) => order && !gone);
    const members = this.#places.map(({ order, seat }) => {
      const { type: _type, stay: _stay, ...rest } = order!;
      return { ...rest, seat };
    });
    trainer.send({ type: "startCohort", size: this.#size, members });
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [place, message] of waiting) if (this.#places.includes(place)) this.steer(place, message);
    for (const place of this.#places) place.begun();
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

class Place extends TrainerListeners implements Trainer {
  readonly seat: number;
  readonly launched: Promise<boolean>;
  order: Start | undefined;
  readonly #resolveLaunched: (launched: boolean) => void;
  readonly #crew: Crew;

  constructor(seat: number, crew: Crew) {
    super();
    this.seat = seat;
    this.#crew = crew;
    ({ promise: this.launched, resolve: this.#resolveLaunched } = Promise.withResolvers<boolean>());
    this.onExit(() => this.#resolveLaunched(false));
  }

  get pid(): number | undefined {
    return this.#crew.pid;
  }

  send(message: ToTrainer): void {
    if (this.gone) return;
    if (message.type === "start") this.order = message;
    else if (message.type === "pause" || message.type === "resume" || message.type === "stop" || message.type === "leave" || message.type === "fileTaken" || message.type === "resumeFrom") this.#crew.steer(this, message);
    else if (message.type === "coreFree") this.#crew.tell(message);
    else throw new Error(`a run of a cohort cannot be sent ${message.type}`);
  }

  kill(): void {
    if (!this.gone) this.#crew.kill(this);
  }

  /** It is a member of the process. */
  begun(): void {
    this.#resolveLaunched(true);
  }

  override receive(message: FromTrainer): void {
    super.receive(message);
    if (message.type === "ended" || message.type === "failed") this.exited({ code: 0, signal: null, stderr: "" });
  }
}
