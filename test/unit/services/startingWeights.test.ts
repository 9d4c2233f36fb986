/** Runs that begin from the weights of a file or of another run: the values, reruns, archives, mismatches. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parseSafetensors } from "../../../src/core/weights/safetensors.ts";
import { networkFilesIn } from "../../../src/core/networks/stored.ts";
import { importInto } from "../../../src/main/archives/importInto.ts";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { verifyStore } from "../../../src/main/hosting/verify.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { isActive } from "../../../src/shared/run.ts";
import { networksOf } from "../../../src/shared/startingWeights.ts";
import { writeArchive } from "../../support/archives.ts";
import { freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const launchTrainer = nodeLauncher(processFile("trainer"));
const given = (changes: object = {}): ExperimentInput => ({
  dataset: { kind: "digits", trainExamples: 64, testExamples: 64 },
  model: { kind: "cnn", channels: [2], kernel: 3, batchNorm: true, hidden: [6] },
  tower: [{ optimizer: "sgd", alpha: 0.05 }],
  batchSize: 64,
  shuffle: false,
  budget: { epochs: 1 },
  engine: { kind: "onnx-cpu" },
  ...changes,
});

async function open(storeDir = freshFolder()) {
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { log: recordedLog(), engines: { fixed: "onnx-cpu" } });
  onTestFinished(() => services.close());
  return { services, storeDir, handlers: services.handlers };
}

async function trained({ handlers, settled }: Services, experiment: unknown) {
  const { id } = await handlers["runs.start"]({ experiment: experiment as never });
  await vi.waitFor(async () => expect(isActive((await handlers["runs.get"]({ run: id })).status)).toBe(false), { interval: 10, timeout: 20_000 });
  await settled();
  const run = await handlers["runs.get"]({ run: id });
  expect(run.status).toBe("finished");
  return run;
}

const weightsOf = async (services: Services, run: string) => buffer(Readable.from((await services.exportWeights(run, "last", "safetensors")).pieces));

/** Values by name, without counters of batches: a run counts its own. */
async function valuesOf(services: Services, run: string): Promise<Record<string, number[]>> {
  const { tensors } = parseSafetensors(await weightsOf(services, run), run);
  return Object.fromEntries([...tensors].flatMap(([name, { values }]) => (name.endsWith("num_batches_tracked") ? [] : [[name, [...values]] as const])));
}

const ofFile = (path: string, changes: object = {}) => ({ experiment: given(), from: { path }, partial: false, byShape: false, ...changes });

describe("a run that begins from weights", () => {
  it("continues another bit for bit, statistics included, again and in another store", async () => {
    const { services, handlers, storeDir } = await open();
    const whole = await trained(services, given({ budget: { epochs: 2 } }));
    const first = await trained(services, given());
    const path = join(freshFolder(), "first.safetensors");
    writeFileSync(path, await weightsOf(services, first.id));

    const { weights, remarks } = await handlers["networks.begin"](ofFile(path));
    expect(remarks).toEqual([]);
    expect(weights).toMatchObject({ file: "first.safetensors", fresh: [] });
    expect(weights.given).toEqual(expect.arrayContaining(["bn1.running_mean", "bn1.running_var"]));
    // A run's own weights are the same file.
    expect((await handlers["networks.begin"]({ ...ofFile(path), from: { run: first.id } })).weights).toMatchObject({ stored: weights.stored, sha256: weights.sha256 });
    expect(networkFilesIn(storeDir)).toEqual([weights.stored]);

    // One batch is the whole set, so the second epoch is the second step.
    const second = await trained(services, { ...given(), weights });
    expect(await valuesOf(services, second.id)).toEqual(await valuesOf(services, whole.id));
    expect(second.evaluations.at(-1)!.testLoss).toBe(whole.evaluations.at(-1)!.testLoss);
    expect(await valuesOf(services, (await trained(services, second.experiment)).id)).toEqual(await valuesOf(services, second.id));
    expect((await verifyStore(storeDir)).findings).toEqual([]);
    await expect(Promise.resolve().then(() => handlers["networks.remove"]({ network: weights.stored }))).rejects.toThrow(/is used by 2 runs/);

    // The archive holds what the rerun elsewhere needs.
    await services.close();
    const store = openStore(storeDir);
    const archive = await writeArchive(store, storeDir, { runs: [second.id] }, join(freshFolder(), "one.hypertower"));
    expect(archive.remarks).toEqual([]);
    store.closeNow();
    const elsewhere = freshFolder();
    await importInto(archive.path, elsewhere);
    expect(networkFilesIn(elsewhere)).toEqual([weights.stored]);
    const other = await open(elsewhere);
    const rerun = await trained(other.services, second.experiment);
    expect(await valuesOf(other.services, rerun.id)).toEqual(await valuesOf(other.services, second.id));
    await other.services.close();
    const merged = freshFolder();
    openStore(merged).closeNow();
    await mergeInto(elsewhere, merged);
    expect(networkFilesIn(merged)).toEqual([weights.stored]);
  });

  it("takes what fits into another model, and is refused where the weights do not fit it or are gone", async () => {
    const { services, handlers, storeDir } = await open();
    const first = await trained(services, given());
    const from = { run: first.id };
    const wider = given({ model: { kind: "cnn", channels: [2], kernel: 3, batchNorm: true, hidden: [8] } });
    await expect(handlers["networks.begin"]({ ...ofFile(""), experiment: wider, from })).rejects.toThrow(/The run cannot begin from run .*: the file does not fit the model: .*begin from what fits with --partial/);
    expect(networkFilesIn(storeDir)).toEqual([]);
    const { weights, remarks } = await handlers["networks.begin"]({ ...ofFile(""), experiment: wider, from, partial: true });
    expect(weights.given).toContain("bn1.weight");
    expect(weights.fresh.length).toBeGreaterThan(0);
    expect(remarks[0]).toMatch(/begin from the file\. Fresh: /);
    const run = await trained(services, { ...wider, weights });
    expect(run.experiment.weights).toEqual(weights);

    await expect(Promise.resolve().then(() => handlers["runs.start"]({ experiment: { ...given({ model: { kind: "cnn", channels: [3], kernel: 3, batchNorm: true, hidden: [8] } }), weights } }))).rejects.toThrow(/The run cannot begin from its weights: .* choose the file again for this model/);
    const bad = join(storeDir, "bad.safetensors");
    writeFileSync(bad, "nothing");
    await expect(handlers["networks.begin"](ofFile(bad))).rejects.toThrow(/bad\.safetensors: .*not a \.safetensors file/);
    const other = await open();
    await expect(Promise.resolve().then(() => other.handlers["runs.start"]({ experiment: { ...wider, weights } }))).rejects.toThrow(/are not here: choose the file again/);
  });

  it("needs the file of its weights on every machine of a fleet, beside an imported network's", () => {
    const weights = { stored: "a".repeat(64), sha256: "b".repeat(64), file: "w.npz", given: ["x"], fresh: [] };
    expect(networksOf({ model: { kind: "graph", network: "c".repeat(64), start: "file" }, weights }).map(({ hash }) => hash[0])).toEqual(["c", "a"]);
    const checked = validateExperiment({ ...given(), weights });
    expect(checked).toMatchObject({ ok: true, experiment: { weights } });
    expect(validateExperiment({ ...given(), weights: "w.npz" })).toMatchObject({ ok: false, errors: [{ path: "weights", message: expect.stringContaining("--weights FILE") as string }] });
    expect(validateExperiment(given())).toMatchObject({ ok: true, experiment: expect.not.objectContaining({ weights: expect.anything() as unknown }) as unknown });
  });
});
