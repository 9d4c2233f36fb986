/** Weights of a training as files, and a training that begins with them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeNpy } from "../../../src/core/datasets/formats/npy.ts";
import { adam, loadWeights, mlp, nll, optimize, sgd } from "../../../src/library/index.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "hypertower-weights-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const batch = { features: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)), targets: [0, 1, 1] };
const begin = (parameters?: Readonly<Record<string, Float64Array>>) => optimize(mlp([4, 5, 2]), { optimizer: adam({ optimizer: sgd(1e-5) }), loss: nll, engine: "reference", ...(parameters && { parameters }) });

it("a training begins where another one's file ends", async () => {
  const first = await begin();
  for (let step = 0; step < 3; step++) await first.step(batch);
  const path = join(folder, "w.safetensors");
  await first.saveWeights(path);
  const { values, shapes, metadata } = await loadWeights(path);
  expect(values).toEqual(await first.parameters());
  expect(shapes).toMatchObject({ "layer1.weight": [5, 4], "layer2.bias": [2] });
  expect(metadata).toMatchObject({ format: "pt", step: "3", optimizer: first.optimizer.toString() });
  const second = await begin(values);
  expect((await second.predict({ features: batch.features })).values).toEqual((await first.predict({ features: batch.features })).values);
  expect(readdirSync(folder)).toEqual(["w.safetensors"]);

  const npz = join(folder, "w.npz");
  writeFileSync(npz, zipSync(Object.fromEntries(Object.entries(values).map(([name, own]) => [`${name}.npy`, encodeNpy({ shape: shapes[name]!, values: own.map(Math.fround) })]))));
  expect((await loadWeights(npz)).values["layer2.bias"]).toEqual(values["layer2.bias"]!.map(Math.fround));
  await Promise.all([first.dispose(), second.dispose()]);
});

it("says what is wrong with a file, and leaves nothing of one that cannot be written", async () => {
  const path = join(folder, "bad.safetensors");
  writeFileSync(path, "nothing");
  await expect(loadWeights(path)).rejects.toThrow(`${path}: not a .safetensors file`);
  const training = await begin();
  await expect(training.saveWeights(join(folder, "none", "w.safetensors"))).rejects.toThrow("ENOENT");
  await training.dispose();
});
