/**
 * Entry point of a trainer process: trains runs one after another (or a cohort), reports every
 * step, and exits with its parent.
 */
import "./signals.ts";
import { availableParallelism, loadavg } from "node:os";
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { CheckpointError } from "../../core/checkpoint/container.ts";
import { requireOwner } from "../../core/checkpoint/owner.ts";
import { EngineFailure, EngineUnavailable, engineFailure } from "../../core/engines/failures.ts";
import { loadEngine } from "../../core/engines/index.ts";
import { add, constant, state } from "../../core/program/operations/index.ts";
import { makeProgram } from "../../core/program/program.ts";
import { makeAheadWhen } from "../../core/feeds/ahead/index.ts";
import { decodeWeights } from "../../core/weights/file.ts";
import { RunControl } from "../../core/training/control.ts";
import { measure } from "../../core/training/measure.ts";
import { RunPort } from "./files.ts";
import type { FromTrainer, RunFileMessage, Steering, ToTrainer } from "./messages.ts";
import { predict, type PredictionResult } from "./jobs.ts";
import { prepareCohort, prepareRun } from "../../core/training/prepare.ts";
import { trainOne } from "./trainOne.ts";

/** Channel to the parent: Electron's port, or Node's IPC. */
interface Port {
  send(message: FromTrainer): void;
  receive(listener: (message: ToTrainer) => void): void;
  /** Exits after everything has been sent. */
  close(): void;
}

/** Electron's addition to `process` in a utility process. */
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
      close: () => setTimeout(() => process.exit(), 200),
    };
  }
  if (!process.send) {
    process.stderr.write("hypertower: the trainer is started by the workbench or the command line, not by hand\n");
    process.exit(2);
  }
  process.on("disconnect", () => process.exit());
  // Disconnecting drops messages that a busy parent has not read: wait until the last is sent.
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
/** Folder of imported networks. */
let networks: string | undefined;
/** The latest run, and the latest cohort's runs. */
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
  await trainOne(order, control, files, () => prepareRun(order.experiment, networks), (message) => port.send(message));
}

/** Each run ends by itself; errors that concern all of them are thrown. */
async function startCohort({ size, members: orders }: Extract<ToTrainer, { type: "startCohort" }>): Promise<void> {
  members = orders.map(({ startPaused }) => newRun(startPaused));
  const runs = members;
  const prepared = await prepareCohort(orders, size, networks);
  await Promise.all(
    prepared.map(async (run, member) => {
      const send = (message: FromTrainer) => {
        // The others continue while one is paused.
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

/** Milliseconds that a stopped run may spend on its final evaluation. */
const evaluateWithin = 8_000;

/** @param answer sends messages about the run */
function steer(run: Run | undefined, message: Steering | RunFileMessage, answer: (message: FromTrainer) => void): void {
  if (!run) return;
  switch (message.type) {
    case "stop":
      return run.control.stop(evaluateWithin);
    case "stored":
      return run.control.stored(message.reports);
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

/** @throws CheckpointError where the weights that the host sends cannot be used */
async function predictFrom({ experiment, weightsOf, job }: Extract<ToTrainer, { type: "predict" }>): Promise<PredictionResult> {
  const { files } = (current = newRun());
  if (weightsOf === null) return predict(experiment, [], job, networks);
  const weights = decodeWeights(Buffer.from((await files.received).buffer));
  requireOwner(weights, { id: weightsOf, experiment });
  return predict(experiment, weights.arrays, job, networks);
}

/** Tries engines in order until one works; reports why the others do not. */
async function probeAll(kinds: readonly EngineKind[]): Promise<void> {
  for (const kind of kinds) {
    const probed = await probe(kind).then(
      (description) => ({ problem: null, description }),
      (error: unknown) => ({ problem: error instanceof EngineUnavailable ? error.why : messageOf(error), description: null }),
    );
    port.send({ type: "probed", kind, ...probed });
    if (probed.description) return;
  }
}

/** Loads an engine and computes something: some fail only then. */
async function probe(kind: EngineKind): Promise<EngineDescription> {
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

/** Does a job, then exits or waits for the next. */
function work(task: Promise<void>, stay = false): void {
  task.then(
    () => (stay ? port.send({ type: "idle" }) : port.close()),
    (error: unknown) => {
      port.send(failure(error));
      port.close();
    },
  );
}

/** Reports an error that nothing has handled, and ends the process. */
function giveUp(error: unknown): void {
  // Also for an error in what follows.
  if (process.exitCode === 1) return;
  process.exitCode = 1;
  port.send(failure(error));
  port.close();
}
process.on("uncaughtException", giveUp);
process.on("unhandledRejection", giveUp);

port.receive((message) => {
  switch (message.type) {
    case "networks":
      networks = message.folder;
      return;
    case "start":
      return work(start(message), message.stay);
    case "startCohort":
      return work(startCohort(message), message.stay);
    case "measure":
      return work(
        measure(message.experiment, { ...message, networks }).then(
          (measured) => port.send({ type: "measured", ...measured }),
          (error: unknown) => {
            throw engineFailure(message.experiment.engine.kind, error);
          },
        ),
        message.stay,
      );
    case "predict":
      return work(
        predictFrom(message).then((result) => port.send({ type: "predicted", result })),
        message.stay,
      );
    case "weights":
      current.files.take(message.piece);
      return port.send({ type: "pieceTaken" });
    case "probe":
      return work(probeAll(message.kinds), message.stay);
    case "coreFree":
      // Other programs use cores as well; Windows does not report the load.
      return makeAheadWhen(() => message.free && loadavg()[0]! < availableParallelism());
    case "member":
      return steer(members[message.member], message.message, (said) => port.send({ type: "member", member: message.member, message: said }));
    case "pause":
    case "resume":
    case "stop":
    case "leave":
    case "stored":
    case "fileTaken":
    case "resumeFrom":
      return steer(current, message, (said) => port.send(said));
  }
});
