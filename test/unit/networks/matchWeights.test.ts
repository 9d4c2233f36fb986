/** Which arrays of a weights file a model begins from, and what of hostile files is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeNetwork, encodeNetwork } from "../../../src/core/networks/file.ts";
import { factsOf } from "../../../src/core/networks/facts.ts";
import { weightsNetwork } from "../../../src/core/networks/weightsOnly.ts";
import { matchWeights, type MatchOptions } from "../../../src/core/weights/match.ts";
import { readWeightsFile } from "../../../src/main/services/weightsFile.ts";
import { safetensorsHeader } from "../../../src/core/weights/safetensors.ts";
import { factsOfNetwork, networkFacts } from "../../../src/shared/models/network.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const array = (name: string, ...shape: number[]) => ({ name, shape, values: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5) });
const file = (...arrays: ReturnType<typeof array>[]) => new Map(arrays.map(({ name, ...rest }) => [name, rest]));
const wanted = [{ name: "body.weight", shape: [3, 2] }, { name: "head.weight", shape: [4, 3] }];
const match = (arrays: ReturnType<typeof file>, options: Partial<MatchOptions> = {}) => matchWeights(arrays, { wanted, tied: {}, partial: false, byShape: false, ...options });

describe("weights of a file", () => {
  it("are taken by name and shape; counters of batches do not matter", () => {
    const { arrays, fresh, remarks } = match(file(array("head.weight", 4, 3), array("body.weight", 3, 2), array("bn.num_batches_tracked")));
    expect(arrays.map(({ name, values }) => [name, values.length])).toEqual([["body.weight", 6], ["head.weight", 12]]);
    expect({ fresh, remarks }).toEqual({ fresh: [], remarks: [] });
  });

  it("that do not fit are named one by one, and begin fresh where that is asked for", () => {
    const other = file(array("body.weight", 3, 2), array("head.weight", 10, 3), array("old.weight", 1));
    expect(() => match(other)).toThrow("the file does not fit the model: head.weight is 4 × 3 in the model and 10 × 3 in the file; old.weight (1) is not in the model; begin from what fits with --partial");
    const { arrays, fresh, remarks } = match(other, { partial: true });
    expect(arrays.map(({ name }) => name)).toEqual(["body.weight"]);
    expect(fresh).toEqual(["head.weight"]);
    expect(remarks).toEqual(["1 array of 2 begin from the file. Fresh: head.weight is 4 × 3 in the model and 10 × 3 in the file.", "Not used of the file: old.weight."]);
    expect(() => match(file(array("x", 9)), { partial: true })).toThrow("nothing in the file fits the model: body.weight (3 × 2) is not in the file");
  });

  it("under other names are offered by their shapes, where each occurs once, and taken when asked for", () => {
    const renamed = file(array("fc2", 4, 3), array("fc1", 3, 2));
    expect(() => match(renamed)).toThrow("no name of the file is one of the model's; by their shapes each array fits one parameter: fc1 as body.weight, fc2 as head.weight; take them so with --by-shape");
    const { arrays, remarks } = match(renamed, { byShape: true });
    expect(arrays.map(({ name, shape }) => [name, shape])).toEqual([["body.weight", [3, 2]], ["head.weight", [4, 3]]]);
    expect(remarks).toEqual(["Taken by their shapes: fc1 as body.weight, fc2 as head.weight."]);
    expect(() => match(file(array("a", 3, 2), array("b", 3, 2)), { byShape: true })).toThrow("each must occur once");
  });

  it("of shared arrays are taken from either name, and refused where they differ", () => {
    const tied = { "lm.weight": "body.weight" };
    expect(match(file(array("lm.weight", 3, 2), array("head.weight", 4, 3)), { tied }).arrays).toHaveLength(2);
    const apart = file(array("body.weight", 3, 2), array("head.weight", 4, 3), { ...array("lm.weight", 3, 2), values: new Float64Array(6) });
    expect(() => match(apart, { tied })).toThrow("lm.weight and body.weight are one parameter of the model; the file has two that differ");
  });

  it("that are no numbers are refused", () => {
    const broken = array("body.weight", 3, 2);
    broken.values[4] = NaN;
    expect(() => match(file(broken, array("head.weight", 4, 3)))).toThrow("body.weight holds values that are no finite numbers");
  });
});

describe("a weights file from elsewhere", () => {
  const written = (name: string, bytes: Uint8Array | string) => {
    const path = join(freshFolder(), name);
    writeFileSync(path, bytes);
    return path;
  };
  it.each<[string, string, Uint8Array | string, string]>([
    ["another kind", "a.pt", "x", "weights are read from .safetensors and .npz files"],
    ["no safetensors file", "a.safetensors", "hello", "not a .safetensors file: 5 bytes"],
    ["a header beyond the file", "a.safetensors", Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0, 1), "its header would have 4294967295 bytes"],
    ["arrays that are missing", "a.safetensors", safetensorsHeader([{ name: "w", type: "F32", shape: [1_000_000, 1_000_000] }], {}), "the arrays have 4000000000000 bytes"],
    ["no npz file", "a.npz", "hello", "cannot be unpacked"],
  ])("is refused: %s", async (_, name, bytes, message) => expect(readWeightsFile(written(name, bytes))).rejects.toThrow(message));
});

describe("weights in a store", () => {
  it("are a network's file that no model can be, exact in float32 or float64", () => {
    const network = weightsNetwork([array("a", 2), { name: "b", shape: [1], values: Float64Array.of(0.1) }]);
    const facts = networkFacts.parse(factsOf("w", network));
    expect(facts).toMatchObject({ weightsOnly: true, layers: [{ parameters: [{ name: "a", shape: [2] }, { name: "b", shape: [1] }] }] });
    const { tensors } = decodeNetwork(encodeNetwork(network));
    expect([...tensors].map(([name, { dtype, data }]) => [name, dtype, [...data]])).toEqual([["a", "float32", [0.5, 1.5]], ["b", "float64", [0.1]]]);
    expect(() => factsOfNetwork({ network: "a".repeat(64), facts })).toThrow("w holds weights without a network");
  });
});
