/**
 * A trainer whose engine onnx-cpu fails as native code does. JSON in the experiment's name says how and
 * after how many steps; a run fails only after the host has saved a checkpoint. Everything else
 * is the real trainer.
 */
import type { Engine, Executable } from "../../src/core/engines/engine.ts";
import { loadEngine } from "../../src/core/engines/index.ts";
import type { ToTrainer } from "../../src/main/trainer/messages.ts";

export interface FailurePlan {
  readonly how: "abort" | "kill" | "memory" | "device" | "hang";
  readonly after: number;
}

let plan: FailurePlan | undefined;
let waitsForCheckpoint = false;

process.on("message", (message: ToTrainer) => {
  if (message.type === "fileTaken" && message.kind === "checkpoint" && message.step > 0 && message.end?.problem === null) waitsForCheckpoint = false;
  if (message.type !== "start" && message.type !== "measure") return;
  const [, json] = /^fails (\{.*\})/.exec(message.experiment.name) ?? [];
  waitsForCheckpoint = message.type === "start";
  plan = json === undefined ? undefined : (JSON.parse(json) as FailurePlan);
});

const real = loadEngine["onnx-cpu"];
(loadEngine as { "onnx-cpu": () => Promise<Engine> })["onnx-cpu"] = async () => {
  const engine = await real();
  return { describe: (options) => engine.describe(options), compile: async (program, options) => failing(await engine.compile(program, options)) };
};

function failing(executable: Executable): Executable {
  let steps = 0;
  const run = executable.run.bind(executable);
  executable.run = async (procedure, inputs) => {
    if (plan && /^(begin|step)@/.test(procedure) && ++steps > plan.after && !waitsForCheckpoint) await fail(plan.how);
    return run(procedure, inputs);
  };
  return executable;
}

async function fail(how: FailurePlan["how"]): Promise<void> {
  switch (how) {
    case "abort":
      process.stderr.write("native code gave up\n");
      return process.abort();
    case "kill":
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => undefined);
    case "memory":
      throw new Error("std::bad_alloc");
    case "device":
      throw new Error("vkQueueSubmit failed with VK_ERROR_DEVICE_LOST\n    at the driver");
    case "hang":
      for (;;) await Promise.resolve();
  }
}

await import("../../src/main/trainer/trainer.ts");
