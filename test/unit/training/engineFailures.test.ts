/** Engines that go down in the middle of a run, and engines to choose from that do: in real processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { tickLength } from "../../../src/main/hosting/watchdog.ts";
import { isActive, type RunDetail } from "../../../src/shared/run.ts";
import type { FailurePlan } from "../../support/failingTrainer.ts";
import { everything } from "../../support/edition.ts";
import { processFile } from "../../support/processes.ts";

const small = { dataset: { trainExamples: 640, testExamples: 100 }, model: { kind: "mlp", hidden: [4] }, batchSize: 16, budget: { epochs: 2 } };
const failing = (plan: FailurePlan) => ({ ...small, budget: { epochs: 100_000 }, name: `fails ${JSON.stringify(plan)}` });

/** A watchdog's time passes ten times as fast. */
const often = (tick: () => void) => {
  const timer = setInterval(tick, tickLength / 10);
  return () => clearInterval(timer);
};

let folder: string;
let services: Services;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-"));
  const launchTrainer = nodeLauncher(processFile("failingTrainer"));
  services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer }, { checkpointEvery: 1, watch: { silence: 30_000, ticks: often }, engines: { kinds: ["onnx-cpu", "reference"], within: 20_000, fixed: "" } });
});

afterEach(async () => {
  await services.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ended(experiment: unknown): Promise<RunDetail> {
  const { id } = await services.handlers["runs.start"]({ experiment });
  const end = new Promise<void>((resolve) => services.on("run.changed", (run) => run.id === id && !isActive(run.status) && resolve()));
  if (isActive((await services.handlers["runs.get"]({ run: id })).status)) await end;
  return services.handlers["runs.get"]({ run: id });
}

const barred = async () => (await services.handlers["engines.list"]({})).engines.find(({ kind }) => kind === "onnx-cpu")!.barred;

describe("a run whose engine goes down", () => {
  const failures = [
    ["hang", /^The trainer was ended because it did not answer for \d+ s, after steps of [\d.]+ s at most: its engine/, /^it did not answer for/],
    ["abort", /ended by SIGABRT; its last output:[^]*native code gave up/, /SIGABRT/],
    ["kill", /ended by SIGKILL \(as systems do when memory runs out\)/, null],
    ["device", /^The device of the engine onnx-cpu was lost during training \(vkQueueSubmit failed with VK_ERROR_DEVICE_LOST\)/, /lost during training/],
    ["memory", /^The engine onnx-cpu ran out of memory \(std::bad_alloc\)/, null],
  ] as const;
  it.each(everything ? failures : failures.slice(0, 2))("%s: failed with the reason and a checkpoint, and all else goes on", async (how, reason, bar) => {
    const run = await ended(failing({ how, after: 30 }));
    expect(run.status).toBe("failed");
    expect(run.reason).toMatch(reason);
    expect(run.steps).toBeGreaterThan(0);
    const resumption = await services.handlers["runs.resumption"]({ run: run.id });
    expect(resumption).toMatchObject({ problem: null });
    expect(resumption!.step).toBeGreaterThan(0);

    expect((await ended(small)).status).toBe("finished");
    const found = await barred();
    if (bar === null) expect(found).toBeNull();
    else expect(found?.reason).toMatch(bar);
  });

  it("a forced engine that is not here says what is missing", async () => {
    const kind = process.platform === "win32" ? "onnx-coreml" : "onnx-directml";
    const run = await ended({ ...small, engine: { kind } });
    expect(run.status).toBe("failed");
    expect(run.reason).toMatch(new RegExp(`^The engine ${kind} cannot be used here: ONNX Runtime has this provider for .+ only`));
  });
});

describe("choosing", () => {
  it("takes what was measured, says why in the run, and measures a program once", async () => {
    await services.handlers["engines.calibrate"]({ experiment: small });
    const first = await ended({ ...small, engine: "auto" });
    expect(first.status).toBe("finished");
    expect(first.experiment.engine.kind).toBe("onnx-cpu");
    expect(first.environment?.engine).toMatchObject({ kind: "onnx-cpu", precision: "float32", why: expect.stringMatching(/^the fastest of 1 measured: [\d.]+ ms a step$/) as string });
    const { measuredAt } = await services.handlers["engines.list"]({ experiment: small });
    await ended({ ...small, seed: 2, engine: "auto" });
    expect((await services.handlers["engines.list"]({ experiment: small })).measuredAt).toBe(measuredAt);
    const named = await ended(small);
    expect(named.environment?.engine?.why).toBe("named in the experiment");
  });

  it("never chooses an engine that crashed until it is retried", async () => {
    const report = await services.handlers["engines.calibrate"]({ experiment: failing({ how: "abort", after: 5 }) });
    expect(report.choice).toBeNull();
    expect(report.engines[0]).toMatchObject({ kind: "onnx-cpu", step: null, barred: { reason: expect.stringMatching(/SIGABRT: native code gave up/) as string } });
    await expect(services.handlers["runs.start"]({ experiment: { ...small, engine: "auto" } })).rejects.toThrow(/No engine can be chosen. onnx-cpu: it ended its process with SIGABRT/);
    const retried = await services.handlers["engines.retry"]({ kind: "onnx-cpu", experiment: small });
    expect(retried.engines[0]!.barred).toBeNull();
    expect((await services.handlers["engines.calibrate"]({ experiment: small })).choice?.kind).toBe("onnx-cpu");
  });

  it.runIf(everything)("a hang is given up after its time", async () => {
    await services.close();
    services = await createServices(
      { storeDir: folder, host: "browser", version: "0", launchTrainer: nodeLauncher(processFile("failingTrainer")) },
      { engines: { kinds: ["onnx-cpu"], within: 8_000, fixed: "" } },
    );
    const { engines } = await services.handlers["engines.calibrate"]({ experiment: failing({ how: "hang", after: 2 }) });
    expect(engines[0]!.barred?.reason).toBe("it did not answer within 8 s");
  });

  it("HYPERTOWER_ENGINE decides without measuring, and must name an engine", async () => {
    await services.close();
    const launchTrainer = nodeLauncher(processFile("failingTrainer"));
    services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer }, { engines: { fixed: "reference" } });
    const run = await ended({ ...small, engine: "auto" });
    expect(run.experiment.engine.kind).toBe("reference");
    expect(run.environment?.engine).toMatchObject({ kind: "reference", precision: "float64", why: "HYPERTOWER_ENGINE names it" });
    await services.close();
    services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer }, { engines: { fixed: "nonsense" } });
    await expect(services.handlers["runs.start"]({ experiment: { ...small, engine: "auto" } })).rejects.toThrow(/HYPERTOWER_ENGINE is nonsense; allowed: onnx-cpu/);
  });
});
