/** Texts, tables and arrays of one's own as a program loads them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adam, charRnn, loadArrays, loadCsv, loadText, sgd, textOf, type CharRnnOptions, type StepResult } from "../../../src/library/index.ts";
import { npy } from "../../support/npy.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "hypertower-files-"))));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe("a text", () => {
  const sentence = "the cat sat on the mat; ".repeat(60);
  const small: CharRnnOptions = { optimizer: adam({ alpha: 0.01, optimizer: sgd(1e-4) }), layers: 1, hidden: 8, embedding: 0, steps: 6, batchSize: 4, seed: 3 };

  async function epochOf(options: Partial<CharRnnOptions>, between?: (network: Awaited<ReturnType<typeof charRnn>>) => Promise<unknown>): Promise<StepResult[]> {
    const network = await charRnn(textOf(sentence), { ...small, ...options });
    const steps: StepResult[] = [];
    for await (const step of network.epoch()) {
      steps.push(step);
      if (step.step % 10 === 0) await between?.(network);
    }
    expect(steps).toHaveLength(network.stepsPerEpoch);
    await network.dispose();
    return steps;
  }

  it("is divided, its end held back", () => {
    const text = textOf("abcabcabcd", { testShare: 0.2 });
    expect(text).toEqual({ vocabulary: ["a", "b", "c", "d"], train: Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1), test: Uint8Array.of(2, 3) });
  });

  it("is read the same by a file, a byte that is no UTF-8 named", async () => {
    expect(await loadText(write("a.txt", sentence))).toEqual(textOf(sentence));
    await expect(loadText(write("bad.txt", Uint8Array.of(97, 98, 0xe9, 97)))).rejects.toThrow(/bad\.txt, line 1: byte 2 \(0xe9\) is not UTF-8/);
    await expect(loadText(join(folder, "none.txt"))).rejects.toThrow("none.txt");
  });

  it("trains the same twice, whatever is looked at between the steps", async () => {
    const alone = await epochOf({});
    expect(alone.at(-1)!.loss).toBeLessThan(alone[0]!.loss);
    expect(alone.at(-1)!.hyperparameters["L0.alpha"]).not.toBe(0.01);
    const disturbed = await epochOf({}, async (network) => [await network.evaluate(), await network.write("the ", { length: 5 }), await network.parameters()]);
    expect(disturbed).toEqual(alone);
  });

  it("is learned with dropout between layers, the same twice", async () => {
    const [plain, dropping] = [{ layers: 2 }, { layers: 2, dropout: 0.3 }];
    const first = await epochOf(dropping);
    expect(await epochOf(dropping)).toEqual(first);
    expect((await epochOf(plain))[0]!.loss).not.toBe(first[0]!.loss);
    await expect(epochOf({ dropout: 0.3 })).rejects.toThrow("charRnn: dropout acts between recurrent layers");
  });

  it("is written on: the same by the same seed, and with temperature 0 by none", async () => {
    const network = await charRnn(textOf(sentence), { ...small, cell: "gru" });
    const before = await network.evaluate();
    expect(before.perplexity).toBeCloseTo(Math.exp(before.loss));
    expect(before.bitsPerCharacter).toBeCloseTo(Math.log2(before.perplexity));
    for (let epoch = 0; epoch < 4; epoch++) for await (const { loss } of network.epoch()) expect(loss).toBeGreaterThan(0);
    expect((await network.evaluate()).perplexity).toBeLessThan(before.perplexity / 2);
    const written = await network.write("the ", { length: 30, seed: 1 });
    expect(Array.from(written)).toHaveLength(30);
    expect(await network.write("the ", { length: 30, seed: 1 })).toBe(written);
    expect(await network.write("the ", { length: 30, seed: 2 })).not.toBe(written);
    expect(await network.write("the ", { length: 30, seed: 1, temperature: 0 })).toBe(await network.write("the ", { length: 30, seed: 2, temperature: 0 }));
    await expect(network.write("Zoo")).rejects.toThrow('the training text does not contain "Z"');
    await expect(network.write("the", { length: 0 })).rejects.toThrow("write: length is 0");
  });

  it("and what cannot be is refused by name", async () => {
    const of = (options: Partial<CharRnnOptions>, text = sentence) => charRnn(textOf(text), { ...small, ...options });
    await expect(of({ hidden: 0 })).rejects.toThrow(/^charRnn: .*hidden/);
    await expect(of({ cell: "rnn" as "gru" })).rejects.toThrow("charRnn: model.cell must be one of: lstm, gru");
    await expect(of({}, "too short")).rejects.toThrow(/a batch needs 4 × 6 characters/);
    await expect(of({ optimizer: undefined as never })).rejects.toThrow("charRnn: optimizer is missing");
    expect(() => textOf("a")).toThrow("textOf: the text has fewer than 2 characters");
    expect(() => textOf("")).toThrow("textOf: the text is empty");
    expect(() => textOf("ab", { testShare: 1 })).toThrow("textOf: testShare is 1; allowed: shares between 0 and 1");
  });
});

describe("a table", () => {
  it("is read as the options say, whole and divided by its seed", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 3},${i % 2 ? "x" : "y"},${i * 1.5}`);
    const path = write("t.csv", ["n,code,letter,value", ...rows].join("\n"));
    const quantity = await loadCsv(path, { testShare: 0.25 });
    expect(quantity).toMatchObject({ task: "regression", exampleShape: [4], featureNames: ["n", "code", "letter=x", "letter=y"], classNames: [] });
    expect([quantity.train.count, quantity.test.count]).toEqual([30, 10]);
    const classes = await loadCsv(path, { target: "letter", ignore: ["value"], categories: ["code"] });
    expect(classes).toMatchObject({ task: "classification", featureNames: ["n", "code=0", "code=1", "code=2"], classNames: ["x", "y"] });
    expect(await loadCsv(path, { testShare: 0.25 })).toEqual(quantity);
    expect((await loadCsv(path, { testShare: 0.25, seed: 1 })).test).not.toEqual(quantity.test);
  });

  it("is refused by line, or by option", async () => {
    const path = write("u.csv", ["a,b", ...Array.from({ length: 20 }, (_, i) => `${i === 7 ? "seven" : i},${i % 2}`)].join("\n"));
    await expect(loadCsv(path)).rejects.toThrow(/u\.csv, line 9, column a: "seven" is not a number/);
    await expect(loadCsv(path, { target: "c" })).rejects.toThrow(/^loadCsv: target is c; the columns of .*u\.csv are: a, b$/);
    await expect(loadCsv(path, { ignore: ["a"] })).rejects.toThrow("no column is a feature");
    await expect(loadCsv(path, { testShare: 0, categories: ["a"] })).rejects.toThrow("loadCsv: testShare is 0");
  });
});

describe("arrays", () => {
  it("are examples with classes or values, pixels as bytes", async () => {
    const x = write("x.npy", npy("<f4", [5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    const images = write("images.npy", npy("|u1", [5, 2, 2], Array.from({ length: 20 }, (_, i) => i)));
    const y = write("y.npy", npy("<i4", [5], [3, 7, 3, 7, 3]));
    const classes = await loadArrays({ features: images, targets: y });
    expect(classes).toMatchObject({ task: "classification", exampleShape: [1, 2, 2], classNames: ["3", "7"] });
    expect(classes.train).toMatchObject({ count: 4, arrays: { features: { scale: 1 / 255 } } });
    const values = await loadArrays({ features: { path: x }, targets: y, task: "regression", testShare: 0.4 });
    expect(values.test.count).toBe(2);
    expect([...(values.train.arrays.targets as Float32Array), ...(values.test.arrays.targets as Float32Array)].sort()).toEqual([3, 3, 3, 7, 7]);
    await expect(loadArrays({ features: x, targets: write("z.npy", npy("<i4", [4], [0, 1, 0, 1])) })).rejects.toThrow(/z\.npy has 4 values, but .*x\.npy has 5 examples/);
    const nan = write("nan.npy", npy("<f4", [5, 2], [0, 1, 2, 3, 4, NaN, 6, 7, 8, 9]));
    await expect(loadArrays({ features: nan, targets: y })).rejects.toThrow(/nan\.npy: value 5 is NaN, in example 2/);
  });
});
