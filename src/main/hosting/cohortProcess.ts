/**
 * One trainer process for the runs of a cohort. Each run talks to a member, which starts, reports
 * and exits as a trainer of its own would.
 */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { StartTrainer, Trainer } from "./process.ts";
import { TrainerListeners } from "./trainerListeners.ts";

type Start = Extract<ToTrainer, { type: "start" }>;
type MemberMessage = Extract<ToTrainer, { type: "member" }>["message"];

export class CohortProcess {
  readonly #start: StartTrainer;
  readonly #size: number;
  /** In the order of the process's members once it has started. */
  #members: CohortMember[] = [];
  #trainer: Trainer | undefined;
  /** Messages to members before the process has started; undefined afterwards. */
  #waiting: [CohortMember, MemberMessage][] | undefined = [];

  /** @param size seats of the cohort's program; some may stay empty */
  constructor(start: StartTrainer, size: number) {
    this.#start = start;
    this.#size = size;
  }

  /** Trainer for the run in a seat. Call before go(). */
  readonly at = (seat: number): StartTrainer => () => {
    const member = new CohortMember(seat, this);
    this.#members.push(member);
    return member;
  };

  /** Launches the process for all members. */
  go(): void {
    const trainer = (this.#trainer = this.#start());
    trainer.onMessage((message) => this.#receive(message));
    trainer.onExit((exit) => {
      for (const member of this.#members) member.exited(exit);
    });
    void trainer.launched.then((launched) => launched && this.#begin(trainer));
  }

  get pid(): number | undefined {
    return this.#trainer?.pid;
  }

  /** Sends a message that concerns the whole process. */
  tell(message: Extract<ToTrainer, { type: "coreFree" }>): void {
    this.#trainer?.send(message);
  }

  steer(member: CohortMember, message: MemberMessage): void {
    if (this.#waiting) this.#waiting.push([member, message]);
    else this.#trainer?.send({ type: "member", member: this.#members.indexOf(member), message });
  }

  /** Ends a member that did not stop in time. The process is killed with its last member: it may hang. */
  kill(member: CohortMember): void {
    if (this.#members.some((other) => other !== member && !other.gone)) {
      this.steer(member, { type: "stop" });
      member.exited({ code: null, signal: "SIGKILL", stderr: "" });
    } else this.#trainer?.kill();
  }

  /** Starts the members that are still there; others left during the launch. */
  #begin(trainer: Trainer): void {
    this.#members = this.#members.filter(({ gone, order }) => order && !gone);
    const members = this.#members.map(({ order, seat }) => {
      const { type: _type, stay: _stay, ...rest } = order!;
      return { ...rest, seat };
    });
    trainer.send({ type: "startCohort", size: this.#size, members });
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [member, message] of waiting) if (this.#members.includes(member)) this.steer(member, message);
    for (const member of this.#members) member.begun();
  }

  #receive(message: FromTrainer): void {
    if (message.type === "member") {
      const member = this.#members[message.member];
      const inner = message.message;
      // The trainer of a run that has ended waits for an answer.
      if (member?.gone && inner.type === "file") this.steer(member, { type: "fileTaken", kind: inner.kind, step: inner.step, end: { problem: "the run has ended" } });
      else member?.receive(inner);
      return;
    }
    // A failure of the process ends all members.
    if (message.type === "failed") for (const member of this.#members) member.receive(message);
  }
}

class CohortMember extends TrainerListeners implements Trainer {
  readonly seat: number;
  readonly launched: Promise<boolean>;
  order: Start | undefined;
  readonly #resolveLaunched: (launched: boolean) => void;
  readonly #cohort: CohortProcess;

  constructor(seat: number, cohort: CohortProcess) {
    super();
    this.seat = seat;
    this.#cohort = cohort;
    ({ promise: this.launched, resolve: this.#resolveLaunched } = Promise.withResolvers<boolean>());
    this.onExit(() => this.#resolveLaunched(false));
  }

  get pid(): number | undefined {
    return this.#cohort.pid;
  }

  send(message: ToTrainer): void {
    if (this.gone) return;
    switch (message.type) {
      case "start":
        this.order = message;
        return;
      case "coreFree":
        return this.#cohort.tell(message);
      case "pause":
      case "resume":
      case "stop":
      case "leave":
      case "stored":
      case "fileTaken":
      case "resumeFrom":
        return this.#cohort.steer(this, message);
      default:
        throw new Error(`a run of a cohort cannot be sent ${message.type}`);
    }
  }

  kill(): void {
    if (!this.gone) this.#cohort.kill(this);
  }

  /** Its process has started. */
  begun(): void {
    this.#resolveLaunched(true);
  }

  override receive(message: FromTrainer): void {
    super.receive(message);
    if (message.type === "ended" || message.type === "failed") this.exited({ code: 0, signal: null, stderr: "" });
  }
}
