import { availableParallelism } from "node:os";
import { expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { experiment } from "../../../src/shared/experiment.ts";
import { Machine } from "../../../src/main/hosting/machine.ts";
import { Measurements } from "../../../src/main/hosting/measurements.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { TrainerProcess } from "../../../src/main/hosting/process.ts";
import { openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

function open(places?: number) {
  const launch = nodeLauncher(processFile("fakeTrainer"));
  const launched: TrainerProcess[] = [];
  const machine = new Machine({
    launch: async () => {
      const process = await launch();
      launched.push(process);
      return process;
    },
    store: openStore(),
    version: "0",
    onWorking: () => undefined,
    places,
  });
  onTestFinished(() => machine.close());
  return { machine, launched };
}

const hasEnded = ({ pid }: TrainerProcess) => {
  expect(() => process.kill(pid!, 0)).toThrow();
};

it("has a place for each core unless told otherwise, and a free core while threads are fewer", () => {
  const { machine } = open();
  expect(machine.places).toBe(availableParallelism());
  expect([machine.hasFreeCore(machine.cores - 1), machine.hasFreeCore(machine.cores)]).toEqual([true, false]);
  expect(open(7).machine.places).toBe(7);
});

it("measures a program once", async () => {
  const { machine, launched } = open();
  const measured = await machine.calibration.measure(experiment.parse({}));
  expect(await machine.calibration.measure(experiment.parse({}))).toEqual(measured);
  expect(launched).toHaveLength(1);
});

it("ends its trainers when it closes, those that measure included, and launches no more", async () => {
  const { machine, launched } = open();
  const measuring = machine.calibration.measure(experiment.parse({ name: JSON.stringify({ neverStarts: true }) }));
  const refused = expect(measuring).rejects.toThrow("The trainer process was ended by SIGKILL");
  const looking = machine.engines.report();
  await vi.waitFor(() => expect(launched.length).toBeGreaterThan(1));
  machine.stopMeasuring();
  await machine.close();
  await refused;
  await looking;
  for (const process of launched) hasEnded(process);
  await expect(machine.calibration.measure(experiment.parse({ batchSize: 7 }))).rejects.toThrow("The trainer process could not be started: Hypertower is closing");
});

it("what was measured holds for the machine it was measured on", async () => {
  const store = openStore();
  const here = new Measurements(store, Promise.resolve("here"));
  await here.save("a program", { step: 1 });
  const step = z.object({ step: z.number() });
  expect(await here.read("a program", step, 1_000)).toEqual({ step: 1 });
  expect(await here.read("a program", step, Infinity)).toEqual({ step: 1 });
  expect(await here.read("another program", step, 1_000)).toBeNull();
  expect(await here.read("a program", z.object({ evaluation: z.number() }), 1_000)).toBeNull();
  expect(await new Measurements(store, Promise.resolve("there")).read("a program", step, 1_000)).toBeNull();
});
