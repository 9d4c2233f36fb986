/** A run that is interrupted at any moment and resumed equals the undisturbed run. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { everything } from "../../support/edition.ts";
import { steadyEngines } from "../../support/engines.ts";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { model as modelSchema } from "../../../src/shared/models/schema.ts";
import { isActive, type RunDetail } from "../../../src/shared/run.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { Store } from "../../../src/main/store/store.ts";
import { CheckpointError } from "../../../src/core/checkpoint/container.ts";
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from "../../../src/core/checkpoint/file.ts";
import { CheckpointFolder } from "../../../src/main/hosting/checkpoint/folder.ts";
import { trajectoryOf } from "../../../src/core/checkpoint/owner.ts";
import type { Captured, Saver } from "../../../src/core/checkpoint/saver.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { trainHere } from "../../support/trainHere.ts";
import { unacknowledged } from "../../support/unacknowledged.ts";
import { processFile } from "../../support/processes.ts";

const small: ExperimentInput = {
  generator: 2,
  dataset: { trainExamples: 1000, testExamples: 300 },
  model: { hidden: [16] },
  batchSize: 64,
  seed: 3,
};

const trainSmall = (config: ExperimentInput, from?: Captured, saver?: Saver) => trainHere({ ...small, ...config }, from, saver);

describe.each(steadyEngines)("on %s", (kind) => {
  it("what is captured before any step, and read back from its file, leads to the same rest", async () => {
    const config: ExperimentInput = {
      dataset: { trainExamples: 300, testExamples: 100 },
      tower: [{ optimizer: "adam" }, { optimizer: "rmsProp", horizon: 0.9 }, { optimizer: "sgd", alpha: 1e-3, mu: 0.5 }],
      budget: { epochs: 3 },
      engine: { kind },
    };
    const files: Buffer[] = [];
    const common = { run: "r", experiment: "e", engine: kind, savedAt: 1 };
    const everyStep: Saver = {
      due: true,
      save: (captured) => {
        files.push(encodeCheckpoint({ ...common, ...captured }));
        return Promise.resolve();
      },
    };
    const whole = await trainSmall(config, undefined, everyStep);
    expect(whole.steps).toHaveLength(15);
    expect(files).toHaveLength(15);
    // In the middle of an epoch, and at the beginning of one.
    for (const at of [1, 5, 8, 14]) {
      const { position, state, guard } = decodeCheckpoint(files[at]!);
      expect(position.step).toBe(at);
      const rest = await trainSmall(config, { position, state, guard });
      expect(rest.steps).toEqual(whole.steps.slice(at));
      expect(rest.evaluations).toEqual(whole.evaluations.filter(({ step }) => step > (position.evaluated ?? -1)));
      expect(rest.end).toEqual(whole.end);
      expect(rest.state).toEqual(whole.state);
    }
  });
});

it("an evaluation that a stop interrupted is repeated when the run is resumed", async () => {
  const config: ExperimentInput = { dataset: { trainExamples: 1000, testExamples: 5000 }, budget: { epochs: 2 }, evaluation: { every: 8 }, tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-3 }] };
  const whole = await trainSmall(config);
  expect(whole.steps).toHaveLength(32);
  for (const at of [8, 16, 32]) {
    let saved: Captured | undefined;
    const saver: Saver = { due: false, save: (captured) => Promise.resolve(void (saved = captured)) };
    const cut = await trainHere({ ...small, ...config }, undefined, saver, undefined, (control, steps) => {
      if (steps === at) control.leave();
    });
    expect(cut.end).toMatchObject({ outcome: "stopped", reason: `stopped at step ${at} of 32, without an evaluation of it`, step: at });
    expect(cut.evaluations).toEqual(whole.evaluations.filter(({ step }) => step < at));
    // And stopped there once more.
    const again = await trainHere({ ...small, ...config }, saved, saver, undefined, (control) => control.leave());
    expect(again).toMatchObject({ steps: [], evaluations: [], end: cut.end });
    const rest = await trainSmall(config, saved);
    expect(rest.steps).toEqual(whole.steps.slice(at));
    expect(rest.evaluations).toEqual(whole.evaluations.filter(({ step }) => step >= at));
    expect(rest.end).toEqual(whole.end);
    expect(rest.state).toEqual(whole.state);
  }
});

it("the state of another program is refused by name", async () => {
  let captured: Captured | undefined;
  const saver: Saver = { due: true, save: (taken) => Promise.resolve(void (captured ??= taken)) };
  await trainSmall({ budget: { epochs: 1 } }, undefined, saver);
  await expect(trainSmall({ budget: { epochs: 1 }, tower: [{ optimizer: "sgd" }] }, captured)).rejects.toThrow(/written by another version of Hypertower: .*L1.* is unknown/);
});

describe("a checkpoint file", () => {
  const of = experiment.parse({ ...small, generator: 1 });
  const checkpoint: Checkpoint = {
    run: "a-run",
    experiment: trajectoryOf(of),
    engine: "onnx-cpu",
    savedAt: 12,
    position: { step: 7, begun: true, epoch: 2, lossSum: 0.1 + 0.2, examples: 64, evaluated: 5, shuffling: [1, -2, 3, 4] },
    guard: {
      rollbacks: 2,
      first: 2.3,
      losses: [[5, 0.1], [6, 0.2]],
      since: 6,
      values: [0.1, 1e-300],
      snapshots: [0, 5].map((step) => ({ step, begun: step > 0, used: step > 0, state: { weights: Float64Array.of(step, 0.5), count: Float64Array.of(step + 0.1) } })),
    },
    state: {
      weights: Float64Array.of(0.5, -0, NaN, Infinity),
      // Not exact in float32.
      slots: Float64Array.of(0.1, 1e-300),
      count: Float64Array.of(7.1),
      none: new Float64Array(0),
    },
  };

  it("gives back what was put in, bit for bit", () => {
    const read = decodeCheckpoint(encodeCheckpoint(checkpoint));
    expect(read).toEqual(checkpoint);
    expect(Object.is(read.state["weights"]![1], -0)).toBe(true);
  });

  it("is refused when any byte of it is another, or it is cut short", () => {
    const file = encodeCheckpoint(checkpoint);
    for (let i = 0; i < file.length; i++) {
      const damaged = Buffer.from(file);
      damaged[i]! ^= 4;
      expect(() => decodeCheckpoint(damaged), `byte ${i}`).toThrow(CheckpointError);
    }
    for (const length of [0, 4, 11, 100, file.length - 1]) expect(() => decodeCheckpoint(file.subarray(0, length))).toThrow(CheckpointError);
  });

  it("belongs to one run and one experiment", async () => {
    const folder = new CheckpointFolder(freshFolder());
    folder.prepare();
    const other = experiment.parse({ ...small, seed: 4 });
    await expect(folder.header({ id: "a-run", experiment: of })).rejects.toThrow(/^there is no checkpoint .*a-run\.checkpoint$/);
    writeFileSync(folder.fileOf("a-run"), encodeCheckpoint(checkpoint));
    const { state: _state, guard: _guard, ...header } = checkpoint;
    expect(await folder.header({ id: "a-run", experiment: { ...of, name: "renamed" } })).toEqual(header);
    await expect(folder.header({ id: "a-run", experiment: other })).rejects.toThrow(/belongs to another experiment: seed is 3 there and 4 in the run$/);
    const wider = experiment.parse({ ...small, tower: [{ optimizer: "adam", alpha: 0.5 }, { optimizer: "sgd" }] });
    await expect(folder.header({ id: "a-run", experiment: wider })).rejects.toThrow(/another experiment: tower\.0\.alpha is 0\.001 there and 0\.5 in the run$/);
    writeFileSync(folder.fileOf("b-run"), encodeCheckpoint(checkpoint));
    await expect(folder.header({ id: "b-run", experiment: of })).rejects.toThrow(/belongs to run a-run$/);
  });
});

describe("a checkpoint of an older version", () => {
  const of = experiment.parse({ ...small, generator: 1, dataset: { ...small.dataset, kind: "fashion-mnist" } });
  const head = { run: "a-run", engine: "onnx-cpu", savedAt: 12, guard: null, state: {}, position: { step: 7, begun: true, epoch: 2, lossSum: 1, examples: 64, evaluated: 5, shuffling: [1] } };
  const read = (written: Checkpoint["experiment"], wanted = of) => {
    const folder = new CheckpointFolder(freshFolder());
    folder.prepare();
    writeFileSync(folder.fileOf("a-run"), encodeCheckpoint({ ...head, experiment: written }));
    return folder.header({ id: "a-run", experiment: wanted });
  };
  const { augmentation: _augmentation, validation: _validation, splitSeed: _splitSeed, ...olderDataset } = of.dataset;
  const flipped = { ...of, dataset: { ...of.dataset, augmentation: { crop: 0, flip: true } } };

  it("lacks fields that there are now: they were at their defaults", async () => {
    const { shuffle: _shuffle, guard: _guard, generator: _generator, ...older } = trajectoryOf(of);
    const written = { ...older, dataset: olderDataset, tower: of.tower.map(({ optimizer, alpha }) => ({ optimizer, alpha })) };
    expect((await read(written)).position.step).toBe(7);
    await expect(read(written, flipped)).rejects.toThrow(/another experiment: dataset\.augmentation\.flip is false there and true in the run$/);
    await expect(read(written, { ...of, shuffle: false })).rejects.toThrow(/another experiment: shuffle is true there and false in the run$/);
    await expect(read({ ...written, seed: 4 })).rejects.toThrow(/another experiment: seed is 4 there and 3 in the run$/);
  });

  it("has a field that is not known: it is named", async () => {
    await expect(read({ ...trajectoryOf(of), lookahead: 5 })).rejects.toThrow(/written by another version of Hypertower: lookahead: there is no field named lookahead$/);
  });

  // SHA-256 of what was written before there were these fields, and since.
  const sorted = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(sorted) : typeof value === "object" && value !== null ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted((value as Record<string, unknown>)[key])])) : value;
  const hash = (value: unknown) => createHash("sha256").update(JSON.stringify(sorted(value))).digest("hex");

  it("has a hash instead of the experiment: taken with or without the fields that were added to datasets", async () => {
    const { shuffle: _shuffle, generator: _generator, model, ...others } = trajectoryOf(of);
    const { dropout: _dropout, ...olderModel } = model as Record<string, unknown>;
    const rest = { ...others, model: olderModel };
    expect((await read(hash(rest))).position.step).toBe(7);
    expect((await read(hash({ ...rest, dataset: olderDataset }))).position.step).toBe(7);
    expect((await read(hash({ ...rest, dataset: { ...olderDataset, validation: 0, splitSeed: 0 } }))).position.step).toBe(7);
    await expect(read(hash({ ...rest, seed: 4 }))).rejects.toThrow(/belongs to another experiment$/);
    await expect(read(hash(rest), { ...of, model: modelSchema.parse({ ...olderModel, dropout: 0.5 }) })).rejects.toThrow(/belongs to another experiment$/);
    await expect(read(hash({ ...rest, dataset: olderDataset }), flipped)).rejects.toThrow(/belongs to another experiment$/);
    await expect(read(hash(rest), { ...of, shuffle: false })).rejects.toThrow(/belongs to another experiment$/);
  });
});

const epochs = 120;
const disturbed: ExperimentInput = { ...small, budget: { epochs } };

/**
 * Services over a store, with the real trainer and many checkpoints. A run that `reaches` an epoch
 * waits some epochs later until it is asked whether it `ended`, so that nothing comes too late.
 */
async function open(storeDir: string, checkpointEvery = 30) {
  let held = false;
  const launch = nodeLauncher(processFile("trainer"));
  const trainers: number[] = [];
  const services = await createServices(
    {
      storeDir,
      host: "browser",
      version: "0",
      launchTrainer: async () => {
        const trainer = await launch();
        trainers.push(trainer.pid!);
        return unacknowledged(trainer, () => held);
      },
    },
    { checkpointEvery, log: recordedLog() },
  );
  onTestFinished(() => services.close());
  const { handlers } = services;
  const ended = (run: string) => {
    held = false;
    return vi.waitFor(async () => {
      const now = await handlers["runs.get"]({ run });
      expect(isActive(now.status)).toBe(false);
      return now;
    }, { interval: 10 });
  };
  const reaches = (run: string, epoch: number) => {
    held = true;
    return vi.waitFor(async () => {
      const now = await handlers["runs.get"]({ run });
      expect(now.status).toBe("running");
      expect(now.epoch).toBeGreaterThanOrEqual(epoch);
    }, { interval: 10 });
  };
  return { services, handlers, trainers, ended, reaches };
}

/** What is left of a run in its store, without wall time. */
function kept(storeDir: string, run: string): { steps: number[][]; detail: RunDetail } {
  const store = new Store(storeDir, { log: recordedLog() });
  const detail = store.getRun(run)!;
  const at = detail.metrics.indexOf("stepTime");
  const steps = [...store.readSteps(run)].map(({ step, values }) => [step, ...values.filter((_, i) => i !== at)]);
  store.close();
  return { steps, detail };
}

const undisturbed = trainSmall(disturbed);

async function expectUndisturbed(storeDir: string, run: string): Promise<RunDetail> {
  const { steps, detail } = kept(storeDir, run);
  const whole = await undisturbed;
  expect(detail.status).toBe("finished");
  expect(steps).toEqual(whole.steps);
  expect(detail.evaluations).toEqual(whole.evaluations);
  expect(detail.hyperparameters.map(({ metric, value }) => [metric, value])).toEqual(Object.entries(whole.end.hyperparameters));
  expect(readdirSync(join(storeDir, "checkpoints"))).toEqual([]);
  return detail;
}

const kinds = ({ events }: RunDetail) => events.map(({ kind }) => kind);

describe("kill -9", () => {
  it.runIf(everything)("of the trainer: resumed twice, the run equals the undisturbed one", async () => {
    const folder = freshFolder();
    const { handlers, trainers, ended, reaches, services } = await open(folder);
    const { id: run } = await handlers["runs.start"]({ experiment: disturbed });
    for (const epoch of [5, 12]) {
      await reaches(run, epoch);
      // On a busy machine its epochs may be ahead of the files.
      await vi.waitFor(() => expect(existsSync(new CheckpointFolder(folder).fileOf(run))).toBe(true));
      process.kill(trainers.at(-1)!, "SIGKILL");
      expect((await ended(run)).status).toBe("failed");
      const { step, problem } = (await handlers["runs.resumption"]({ run }))!;
      expect(problem).toBeNull();
      expect(step).toBeGreaterThan(0);
      await handlers["runs.resume"]({ run, fromStart: false });
    }
    await ended(run);
    await services.close();
    const detail = await expectUndisturbed(folder, run);
    expect(kinds(detail).filter((kind) => kind === "resumed")).toHaveLength(2);
    expect(kinds(detail)).not.toContain("differs");
  });

  it("of host and trainer together: resumed from another host, the run is the undisturbed one", async () => {
    const folder = freshFolder();
    const host = spawn(process.execPath, [processFile("trainingHost"), folder, JSON.stringify(disturbed)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let run = "";
    host.stdout.on("data", (chunk: Buffer) => {
      const [id = "", trainer, epoch] = chunk.toString().trimEnd().split("\n").at(-1)!.split(" ");
      if (Number(epoch) < 10 || run !== "") return;
      run = id;
      host.kill("SIGKILL");
      process.kill(Number(trainer), "SIGKILL");
    });
    await once(host, "close");
    const { handlers, ended, services } = await open(folder);
    expect((await handlers["runs.get"]({ run })).status).toBe("interrupted");
    await handlers["runs.resume"]({ run, fromStart: false });
    await ended(run);
    await services.close();
    const detail = await expectUndisturbed(folder, run);
    expect(kinds(detail).filter((kind) => kind !== "retraced")).toEqual(["started", "interrupted", "resumed", "finished"]);
  });
});

describe("a stop", () => {
  it("can be undone: the evaluation it made is gone, and the run is the undisturbed one", async () => {
    const folder = freshFolder();
    const { handlers, ended, reaches, services } = await open(folder);
    const { id: run } = await handlers["runs.start"]({ experiment: disturbed });
    await reaches(run, 5);
    await handlers["runs.stop"]({ run });
    await ended(run);
    // At once, though the trainer may not be gone yet.
    await handlers["runs.resume"]({ run, fromStart: false });
    await ended(run);
    await services.close();
    const detail = await expectUndisturbed(folder, run);
    expect(kinds(detail).filter((kind) => kind !== "retraced")).toEqual(["started", "stopped", "resumed", "finished"]);
  });
});

describe("a run without a usable checkpoint", () => {
  async function interrupted() {
    const folder = freshFolder();
    const opened = await open(folder);
    const { id: run } = await opened.handlers["runs.start"]({ experiment: disturbed });
    await opened.reaches(run, 6);
    await opened.handlers["runs.stop"]({ run });
    await opened.ended(run);
    return { folder, run, file: new CheckpointFolder(folder).fileOf(run), ...opened };
  }

  it("says so, begins again only where a person asks, and checks its steps against the log", async () => {
    const { folder, run, file, handlers, ended, services } = await interrupted();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, -100));
    const said = `The checkpoint ${file} cannot be used: it is damaged: it ends too early.`;
    expect(await handlers["runs.resumption"]({ run })).toEqual({ step: 0, problem: said });
    await expect(async () => handlers["runs.resume"]({ run, fromStart: false })).rejects.toThrow(said);
    rmSync(file);
    await expect(async () => handlers["runs.resume"]({ run, fromStart: false })).rejects.toThrow("There is no checkpoint");
    expect((await handlers["runs.get"]({ run })).status).toBe("stopped");
    await handlers["runs.resume"]({ run, fromStart: true });
    await ended(run);
    await services.close();
    const { events } = await expectUndisturbed(folder, run);
    expect(events.find(({ kind }) => kind === "retraced")!.message).toMatch(/^steps 0 to \d+ were trained again and came out as they are logged$/);
  });

  it("because its trainer was killed before the first one, begins again by itself", async () => {
    const folder = freshFolder();
    const { handlers, trainers, reaches, ended, services } = await open(folder, 1e9);
    const { id: run } = await handlers["runs.start"]({ experiment: disturbed });
    await reaches(run, 6);
    process.kill(trainers.at(-1)!, "SIGKILL");
    expect((await ended(run)).status).toBe("failed");
    expect(await handlers["runs.resumption"]({ run })).toEqual({ step: 0, problem: null });
    await handlers["runs.resume"]({ run, fromStart: false });
    await ended(run);
    await services.close();
    const { events } = await expectUndisturbed(folder, run);
    expect(events.find(({ kind }) => kind === "retraced")!.message).toMatch(/^steps 0 to \d+ were trained again and came out as they are logged$/);
  });

  it("is read by its header; when its trainer finds damaged values, it is moved away", async () => {
    const { run, file, handlers, ended } = await interrupted();
    const bytes = readFileSync(file);
    bytes[bytes.length - 40]! ^= 1;
    writeFileSync(file, bytes);
    expect(await handlers["runs.resumption"]({ run })).toMatchObject({ problem: null });
    await handlers["runs.resume"]({ run, fromStart: false });
    expect(await ended(run)).toMatchObject({ status: "failed", reason: "the checkpoint cannot be used: it is damaged: its checksum does not match" });
    expect(await handlers["runs.resumption"]({ run })).toEqual({ step: 0, problem: `There is no checkpoint ${file}.` });
    expect(readFileSync(`${file}.unusable`)).toEqual(bytes);
    await handlers["runs.resume"]({ run, fromStart: true });
    expect((await ended(run)).status).toBe("finished");
    await vi.waitFor(() => expect(readdirSync(dirname(file))).toEqual([]));
  });

  it("tells when a step does not come out as it is logged, and keeps the log", async () => {
    const { folder, run, handlers, ended, services } = await interrupted();
    const db = new Database(join(folder, storeFileName));
    const metric = db.prepare("SELECT id FROM metrics WHERE run = ? AND name = 'L0.alpha'").pluck().get(run);
    db.prepare("UPDATE series_values SET value = 0.25 WHERE metric = ? AND step = 33").run(metric);
    db.close();
    await handlers["runs.resume"]({ run, fromStart: true });
    await ended(run);
    await services.close();
    const { detail, steps } = kept(folder, run);
    expect(detail.status).toBe("finished");
    expect(detail.events.filter(({ kind }) => kind === "differs")).toMatchObject([{ step: 33, message: expect.stringMatching(/^at step 33 L0\.alpha is 0\.00\d+ now and was 0\.25 when/) as string }]);
    expect(steps).toHaveLength((await undisturbed).steps.length);
    expect(steps[33]).toContain(0.25);
  });
});
