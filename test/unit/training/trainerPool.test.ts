import { describe, expect, it, onTestFinished, vi } from "vitest";
import { experiment } from "../../../src/shared/experiment.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { TrainerExit, TrainerProcess } from "../../../src/main/hosting/process.ts";
import { TrainerPool, type TrainerPoolOptions } from "../../../src/main/hosting/trainerPool.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { processFile, type ProcessName } from "../../support/processes.ts";

function open(options: Partial<TrainerPoolOptions> = {}, entry: ProcessName = "fakeTrainer") {
  const launch = nodeLauncher(processFile(entry));
  const launched: TrainerProcess[] = [];
  const exited: TrainerExit[] = [];
  const pool = new TrainerPool({
    launch: async () => {
      const process = await launch();
      launched.push(process);
      process.onExit((exit) => exited.push(exit));
      return process;
    },
    ...options,
  });
  onTestFinished(async () => {
    await pool.close();
    for (const process of launched) process.kill();
  });
  /** Trains one run; everything its trainer said, and how it went. */
  const train = async (of: object) => {
    const trainer = pool.start();
    const said: FromTrainer[] = [];
    trainer.onMessage((message) => said.push(message));
    trainer.send({ type: "start", experiment: experiment.parse(of) });
    const exit = await new Promise<TrainerExit>((resolve) => trainer.onExit(resolve));
    return { trainer, said, exit };
  };
  const fake = (plan: FakePlan) => train({ name: JSON.stringify(plan) });
  return { pool, launched, exited, train, fake };
}

describe("a pool of trainers", () => {
  it("trains one run after another in one process, each as if it had its own", async () => {
    const { launched, fake } = open();
    const runs = [await fake({ steps: 30 }), await fake({ steps: 20 }), await fake({ steps: 10 })];
    expect(launched).toHaveLength(1);
    for (const { said, exit } of runs) {
      expect(exit).toEqual({ code: 0, signal: null, stderr: "" });
      expect(said.map(({ type }) => type).filter((type) => type !== "rows")).toEqual(["started", "ended"]);
    }
    expect(runs.map(({ said }) => said.filter(({ type }) => type === "rows").length)).toEqual([3, 2, 1]);
  });

  it("starts more processes for runs at the same time", async () => {
    const { launched, fake } = open();
    await Promise.all([fake({ steps: 50 }), fake({ steps: 50 })]);
    expect(launched).toHaveLength(2);
    await Promise.all([fake({ steps: 10 }), fake({ steps: 10 })]);
    expect(launched).toHaveLength(2);
  });

  it("does not use a process again that crashed, failed or was killed", async () => {
    const { pool, launched, fake } = open();
    expect((await fake({ crashAt: 20 })).exit.signal).toBe("SIGABRT");
    expect((await fake({ failAt: 20 })).said.at(-1)).toEqual({ type: "failed", message: "MNIST could not be read" });
    const killed = pool.start();
    killed.send({ type: "start", experiment: experiment.parse({ name: JSON.stringify({ steps: 1e9 }) }) });
    const exit = new Promise<TrainerExit>((resolve) => killed.onExit(resolve));
    killed.kill();
    expect((await exit).signal).toBe("SIGKILL");
    expect((await fake({ steps: 10 })).exit.code).toBe(0);
    expect(launched).toHaveLength(4);
  });

  it("ends a process that waits too long, one that trained enough, and those that wait when it closes", async () => {
    const idle = open({ idleFor: 20 });
    await idle.fake({ steps: 10 });
    await vi.waitFor(() => expect(idle.exited).toHaveLength(1));
    const tired = open({ runsEach: 2 });
    for (let i = 0; i < 4; i++) await tired.fake({ steps: 10 });
    expect(tired.launched).toHaveLength(2);
    const closed = open();
    await closed.fake({ steps: 10 });
    await closed.pool.close();
    expect(closed.exited).toHaveLength(1);
  });

  it("is deaf to a run that is over", async () => {
    const { fake } = open();
    const first = await fake({ steps: 10 });
    const second = fake({ steps: 100 });
    first.trainer.send({ type: "stop" });
    first.trainer.kill();
    expect((await second).said.at(-1)).toMatchObject({ type: "ended", outcome: "finished", step: 100 });
  });

  it("trains the very same numbers in a warm process as in a fresh one", async () => {
    const of = { dataset: { trainExamples: 600, testExamples: 200 }, model: { hidden: [16] }, batchSize: 100, budget: { epochs: 2 } };
    const warm = open({}, "trainer");
    const cold = open({}, "trainer");
    await warm.train({ ...of, seed: 5, tower: [{ optimizer: "rmsProp" }] });
    const [a, b] = [await warm.train(of), await cold.train(of)];
    expect(warm.launched).toHaveLength(1);
    const numbers = ({ said }: typeof a) => said.flatMap((message): object[] => (message.type === "evaluation" ? [message.evaluation] : message.type === "ended" ? [message.hyperparameters] : []));
    expect(numbers(a)).toHaveLength(3);
    expect(numbers(a)).toEqual(numbers(b));
  });
});
