/** A few random programs with fixed seeds; `npm run test:random` checks many more with a fresh one. */
import { expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { presentEngines } from "../support/engines.ts";
import { checkBatching, checkEngine, checkSimplify } from "../support/randomChecks.ts";

it("simplify keeps what a program computes, also with special constants", async () => {
  await expect(checkSimplify({ seed: 1, programs: 150 })).resolves.toBeUndefined();
});

// Devices and TensorFlow take long to load or to compile a program: they have the samples.
const quick = ["reference", "onnx-cpu", "tfjs-cpu", "tfjs-wasm"];
const engines = presentEngines.filter((kind) => quick.includes(kind));

it.each(engines)("%s computes what a program says", async (kind) => {
  await expect(checkEngine(kind, await loadEngine[kind](), { seed: 2, programs: 25 })).resolves.toBeUndefined();
});

it.each(engines)("%s computes three runs as one", async (kind) => {
  await expect(checkBatching(kind, await loadEngine[kind](), { seed: 3, programs: 12 })).resolves.toBeUndefined();
});
