/** Entry of a trainer process: trains a run, or several one after another, reports every step, and goes when its parent goes. */
import "./signals.ts";
import { availableParallelism, loadavg } from "node:os";
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { CheckpointError } from "../../core/checkpoint/container.ts";
import { EngineFailure, EngineUnavailable, engineFailure } from "../../core/engines/failures.ts";
import { loadEngine } from "../../core/engines/index.ts";
import { add, constant, state } from "../../core/program/operations/index.ts";
import { makeProgram } from "../../core/program/program.ts";
import { makeAheadWhen } from "../../core/feeds/ahead/index.ts";
import { RunControl } from "../../core/training/control.ts";
import { measure } from "../../core/training/measure.ts";
import { RunPort } from "./files.ts";
import type { FromTrainer, RunFileMessage, Steering, ToTrainer } from "./messages.ts";
import { predict } from "./jobs.ts";
import { prepareCohort, prepareRun } from "../../core/training/prepare.ts";
import { trainOne } from "./trainOne.ts";

/** The parent's end: Electron's port, or Node's IPC channel. */
interface Port {
  send(message: FromTrainer): void;
  receive(listener: (message: ToTrainer) => void): void;
  /** Leaves once everything sent has gone out. */
  close(): void;
}

/** What Electron adds to `process` in a utility process. */
interface ParentPort {
  postMessage(message: FromTrainer): void;
  on(event: "message", listener: (event: { readonly data: ToTrainer }) => void): void;
}

function openPort(): Port {
  const { parentPort } = process as NodeJS.Process & { readonly parentPort?: ParentPort };
  if (parentPort) {
    return {
      send: (message) => parentPort.postMessage(message),
      receive: (listener) => parentPort.on("message", (event: { readonly data: ToTrainer }) => listener(event.data)),
      close: () => setTimeout(() => process.exit(0), 200),
    };
  }
  if (!process.send) {
    process.stderr.write("hypertower: the trainer is started by the workbench or the command line, not by hand\n");
    process.exit(2);
  }
  process.on("disconnect", () => process.exit(0));
  // Disconnecting drops what a busy parent has not read yet: wait until the last message has gone out.
  let sent = Promise.resolve();
  return {
    send: (message) => {
      sent = new Promise((resolve) => process.send?.(message, () => resolve()));
    },
    receive: (listener) => process.on("message", (message) => listener(message as ToTrainer)),
    close: () => void sent.then(() => process.disconnect()),
  };
}

const port = openPort();
/** Of the latest run, and of the latest cohort's runs. */
let current: Run = { control: new RunControl(), files: new RunPort() };
let members: readonly Run[] = [];

interface Run {
  readonly control: RunControl;
  readonly files: RunPort;
}

function newRun(startPaused = false): Run {
  const control = new RunControl();
  if (startPaused) control.pause();
  return { control, files: new RunPort() };
}

async function start({ startPaused, ...order }: Extract<ToTrainer, { type: "start" }>): Promise<void> {
  const { control, files } = (current = newRun(startPaused));
  await trainOne(order, control, files, () => prepareRun(order.experiment), (message) => port.send(message));
}

/** Each run ends by itself; what concerns them all is thrown. */
async function startCohort({ size, members: orders }: Extract<ToTrainer, { type: "startCohort" }>): Promise<void> {
  members = orders.map(({ startPaused }) => newRun(startPaused));
  const runs = members;
  const prepared = await prepareCohort(orders, size);
  await Promise.all(
    prepared.map(async (run, member) => {
      const send = (message: FromTrainer) => {
        // The others go on while one is paused.
        if (message.type === "paused") run.executable.rest();
        if (message.type === "resumed") run.executable.rejoin();
        port.send({ type: "member", member, message });
      };
      try {
        const { control, files } = runs[member]!;
        await trainOne(orders[member]!, control, files, () => Promise.resolve(run), send);
      } catch (error) {
        await run.executable.dispose();
        send(failure(error));
      }
    }),
  );
}

/** A person who stops a run waits at most this long (milliseconds) for its last evaluation. */
const evaluateWithin = 8_000;

/** @param answer sends what is said of the run */
function steer(run: Run | undefined, message: Steering | RunFileMessage, answer: (message: FromTrainer) => void): void {
  if (!run) return;
  switch (message.type) {
    case "stop":
      return run.control.stop(evaluateWithin);
    case "fileTaken":
      return run.files.taken(message.kind, message.step, message.end);
    case "resumeFrom":
      run.files.take(message.piece);
      return answer({ type: "pieceTaken" });
    default:
      return run.control[message.type]();
  }
}

const failure = (error: unknown): FromTrainer => ({
  type: "failed",
  message: messageOf(error),
  ...(error instanceof CheckpointError && { checkpoint: true }),
  ...(error instanceof EngineFailure && { engine: error.kind }),
  ...(error instanceof EngineUnavailable && { unavailable: error.why }),
});

/** The first of these engines that works, and why those before it do not. */
async function look(kinds: readonly EngineKind[]): Promise<void> {
  for (const kind of kinds) {
    const looked = await lookAt(kind).then(
      (description) => ({ problem: null, description }),
      (error: unknown) => ({ problem: error instanceof EngineUnavailable ? error.why : messageOf(error), description: null }),
    );
    port.send({ type: "looked", kind, ...looked });
    if (looked.description) return;
  }
}

/** Loads an engine, and has it compute something: some find out only then that they cannot. */
async function lookAt(kind: EngineKind): Promise<EngineDescription> {
  const engine = await loadEngine[kind]();
  const x = state("x", [2]);
  const executable = await engine.compile(makeProgram({ run: { outputs: {}, updates: { x: add(x, constant(1)) } } }), { threads: 1 });
  await executable.run("run");
  const [first] = (await executable.state())["x"]!;
  await executable.dispose();
  if (first !== 1) throw new Error(`it computes 0 + 1 as ${first}`);
  const { device, driver, memory, libraries } = engine.describe({ threads: 1 });
  return { device, driver, memory, libraries };
}

/** Does what was asked, then leaves or waits for more. */
function work(task: Promise<void>, stay = false): void {
  task.then(
    () => (stay ? port.send({ type: "idle" }) : port.close()),
    (error: unknown) => {
      port.send(failure(error));
      port.close();
    },
  );
}

port.receive((message) => {
  switch (message.type) {
    case "start":
      return work(start(message), message.stay);
    case "startCohort":
      return work(startCohort(message), message.stay);
    case "measure":
      return work(
        measure(message.experiment, message).then(
          (measured) => port.send({ type: "measured", ...measured }),
          (error: unknown) => {
            throw engineFailure(message.experiment.engine.kind, error);
          },
        ),
        message.stay,
      );
    case "predict":
      return work(
        predict(message.experiment, message.weights, message.job).then((result) => port.send({ type: "predicted", result })),
        message.stay,
      );
    case "look":
      return work(look(message.kinds), message.stay);
    case "coreFree":
      // Other programs take cores as well; Windows does not say.
      return makeAheadWhen(() => message.free && loadavg()[0]! < availableParallelism());
    case "member":
      return steer(members[message.member], message.message, (said) => port.send({ type: "member", member: message.member, message: said }));
    case "pause":
    case "resume":
    case "stop":
    case "leave":
    case "fileTaken":
    case "resumeFrom":
      return steer(current, message, (said) => port.send(said));
  }
});
