/** Which engines an automatic choice tries, in which order and for how long: with processes that only answer. */
import { beforeEach, describe, expect, it } from "vitest";
import { EngineChoice, NoEngineError } from "../../../src/main/hosting/engineChoice.ts";
import type { FromTrainer, ToTrainer } from "../../../src/main/trainer/messages.ts";
import { LaunchingTrainer } from "../../../src/main/hosting/launchingTrainer.ts";
import { Measurements } from "../../../src/main/hosting/measurements.ts";
import type { StartTrainer, Trainer, TrainerExit } from "../../../src/main/hosting/process.ts";
import type { EngineKind } from "../../../src/shared/engines.ts";
import { experiment } from "../../../src/shared/experiment.ts";

/** Milliseconds of a step where an engine is here; `silent`: it never answers; `crash`: its process goes down. */
type Machine = Partial<Record<EngineKind, number | "silent" | "crash">>;

const open = experiment.parse({ engine: "auto" });
const description = { device: "a device", driver: null, memory: null, libraries: {} };

let machine: Machine;
let orders: ToTrainer[];
let kept: Map<string, string>;

function launch(): Trainer {
  const heard: ((message: FromTrainer) => void)[] = [];
  const gone: ((exit: TrainerExit) => void)[] = [];
  const say = (message: FromTrainer) => heard.forEach((listener) => listener(message));
  const exit = (signal: NodeJS.Signals | null) => gone.splice(0).forEach((listener) => listener({ code: signal ? null : 0, signal, stderr: "" }));
  const work = (order: ToTrainer) => {
    if (order.type === "probe") {
      for (const kind of order.kinds) {
        const here = machine[kind];
        if (here === "silent") return;
        if (here === "crash") return exit("SIGABRT");
        say({ type: "probed", kind, problem: here === undefined ? "there is none" : null, description: here === undefined ? null : description });
        if (here !== undefined) break;
      }
    } else if (order.type === "measure") {
      const here = machine[order.experiment.engine.kind as EngineKind];
      if (here === "silent") return;
      if (here === "crash") return exit("SIGSEGV");
      say(here === undefined ? { type: "failed", message: "the engine is missing", unavailable: "there is none" } : { type: "measured", measurement: { step: here, evaluation: 0, begin: 0 }, description });
    }
    exit(null);
  };
  return {
    pid: 1,
    launched: Promise.resolve(true),
    send: (order) => {
      orders.push(order);
      queueMicrotask(() => work(order));
    },
    onMessage: (listener) => (heard.push(listener), () => undefined),
    onExit: (listener) => (gone.push(listener), () => undefined),
    kill: () => exit("SIGKILL"),
  };
}

const choice = (within = 60_000, startTrainer: StartTrainer = launch) =>
  new EngineChoice({
    startTrainer,
    within,
    fixed: "",
    onWorking: () => undefined,
    measurements: new Measurements(
      { measurements: { find: (key: string) => kept.get(key), save: (key: string, _machine: string, value: string) => void kept.set(key, value) } } as never,
      Promise.resolve("here"),
    ),
  });

const measuredKinds = () => orders.flatMap((order) => (order.type === "measure" ? [order.experiment.engine.kind] : []));

beforeEach(() => {
  machine = { "onnx-cpu": 2, "tfjs-wasm": 100, "tfjs-cpu": 3_000, reference: 5_000 };
  orders = [];
  kept = new Map();
});

describe("an automatic choice", () => {
  it("measures nothing where one fast engine works, and looks for the others in one process, once", async () => {
    const { experiment: on, why } = await choice().resolve(open);
    expect(on.engine.kind).toBe("onnx-cpu");
    expect(why).toBe("the only one of the fast engines that works here, so that nothing was measured");
    expect(orders).toEqual([{ type: "probe", kinds: ["onnx-webgpu", "onnx-cuda", "onnx-directml", "onnx-coreml", "tfjs-node", "tfjs-node-gpu", "tfjs-webgpu"] }]);
    await choice().resolve({ ...open, batchSize: 7 });
    expect(orders).toHaveLength(1);
  });

  it("measures the fast ones that work, gives up early on slower ones, and keeps what it measured", async () => {
    machine["onnx-webgpu"] = 1;
    machine["tfjs-webgpu"] = 9;
    const { experiment: on, why } = await choice().resolve(open);
    expect(on.engine.kind).toBe("onnx-webgpu");
    expect(why).toBe("the fastest of 3 measured: 1 ms a step, before ONNX Runtime, CPU with 2 ms");
    expect(measuredKinds()).toEqual(["onnx-cpu", "onnx-webgpu", "tfjs-webgpu"]);
    const limits = orders.flatMap((order) => (order.type === "measure" ? [order.longest] : []));
    // 32 steps at three times the best so far, and 400 ms at least.
    expect(limits).toEqual([undefined, 400, 400]);
    await choice().resolve({ ...open, seed: 3 });
    expect(measuredKinds()).toHaveLength(3);
    machine["onnx-cpu"] = 20;
    await choice().resolve({ ...open, batchSize: 7 });
    expect(orders.at(-2)).toMatchObject({ type: "measure", longest: 3 * 32 * 20 });
  });

  it("measures anew once an engine is here that was not", async () => {
    machine["tfjs-webgpu"] = 9;
    expect((await choice().resolve(open)).experiment.engine.kind).toBe("onnx-cpu");
    machine["tfjs-node-gpu"] = 0.5;
    await choice().retry("tfjs-node-gpu", open);
    expect((await choice().resolve(open)).experiment.engine.kind).toBe("tfjs-node-gpu");
  });

  it("takes a slow one where no fast one is left, and says so where none is", async () => {
    machine = { "tfjs-wasm": 100, reference: 5 };
    await choice().failed("onnx-cpu", "it aborted");
    expect((await choice().resolve(open)).experiment.engine.kind).toBe("tfjs-wasm");
    machine = { reference: 5 };
    kept.clear();
    await choice().failed("onnx-cpu", "it aborted");
    await expect(choice().resolve(open)).rejects.toThrow(NoEngineError);
    await expect(choice().resolve(open)).rejects.toThrow(/onnx-cpu: it aborted; onnx-webgpu: there is none/);
  });

  it("an engine that brings its process down while it is probed is barred, and the others are probed", async () => {
    machine["onnx-webgpu"] = "crash";
    machine["tfjs-webgpu"] = 1;
    expect((await choice().resolve(open)).experiment.engine.kind).toBe("tfjs-webgpu");
    const { engines } = await choice().report(open);
    expect(engines.find(({ kind }) => kind === "onnx-webgpu")!.barred?.reason).toBe("it ended its process with SIGABRT");
  });
});

describe("a calibration on demand", () => {
  it("measures every engine, finds what was installed since, and never takes the reference", async () => {
    machine = { "onnx-cpu": 2, "tfjs-wasm": 100, "tfjs-cpu": 3_000, reference: 1 };
    await choice().report(open);
    machine["tfjs-node"] = 4;
    const { engines, choice: taken } = await choice().calibrate(open);
    expect(measuredKinds()).toEqual(["onnx-cpu", "tfjs-node", "tfjs-wasm", "tfjs-cpu", "reference"]);
    expect(engines.find(({ kind }) => kind === "reference")!.step).toBe(1);
    expect(taken).toEqual({ kind: "onnx-cpu", why: "the fastest of 4 measured: 2 ms a step, before TensorFlow, CPU (tfjs-node) with 4 ms" });
  });

  it("an engine without an answer is barred; one that touches no driver is only slow", async () => {
    machine["tfjs-webgpu"] = 1;
    const here = choice(20);
    await here.report(open);
    machine["tfjs-webgpu"] = "silent";
    machine.reference = "silent";
    const { engines } = await here.calibrate(open);
    expect(engines.find(({ kind }) => kind === "tfjs-webgpu")!.barred?.reason).toBe("it did not answer within 0.02 s");
    expect(engines.find(({ kind }) => kind === "reference")).toMatchObject({ barred: null, step: null, unmeasured: "a few steps take longer than 0.02 s" });
  });
});

it("says so when no process can be launched, and holds it against no engine", async () => {
  const refused = choice(60_000, () => new LaunchingTrainer(() => Promise.reject(new Error("no more processes"))));
  await expect(refused.report()).rejects.toThrow("The trainer process could not be started: no more processes");
  expect([...kept.keys()]).toEqual([]);
});
