/** Files that are damaged, hostile, or beyond what can be trained. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { zipSync } from "fflate";
import { readBatch } from "../../../src/core/graphs/batchFile.ts";
import { readGraph } from "../../../src/core/graphs/describe.ts";
import { GraphError } from "../../../src/core/graphs/errors.ts";
import { field, floatValue, graphMessage, message, onnxBytes, tensor, wireNode, type WireGraph } from "../../support/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "hypertower-graphs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (graph: WireGraph, from: string | null = null) => readGraph(onnxBytes(graph), { folder: from });
const weight = tensor("w", [4, 4], Array.from({ length: 16 }, (_, i) => i / 16));
const product = wireNode("MatMul", ["x", "w"], ["y"]);

describe("a file that is wrong", () => {
  it("is refused with a reason", () => {
    expect(() => readGraph(new Uint8Array(0), { folder: null })).toThrow("this is no ONNX model");
    expect(() => readGraph(new TextEncoder().encode("PK\u0003\u0004 hello, this is a zip"), { folder: null })).toThrow(GraphError);
    expect(() => readGraph(onnxBytes({ nodes: [product], initializers: [weight] }).subarray(0, 100), { folder: null })).toThrow("longer than the file");
    expect(() => read({ nodes: [wireNode("Add", ["x", "b"], ["a"]), wireNode("Add", ["a", "x"], ["b"]), wireNode("Relu", ["b"], ["y"])] })).toThrow('Add "the Add" reads "b", which depends on it or is made later: the graph has a cycle');
    expect(() => read({ nodes: [wireNode("Add", ["x", "nothing"], ["y"])] })).toThrow('reads "nothing", which nothing makes');
    expect(() => read({ nodes: [wireNode("Relu", ["x"], ["y"]), wireNode("Tanh", ["x"], ["y"])] })).toThrow('"y" is made twice');
    expect(() => read({ nodes: [product], initializers: [weight, weight] })).toThrow('two arrays named "w"');
    expect(() => read({ nodes: [wireNode("Relu", ["x"], ["z"])] })).toThrow('nothing makes the output "y"');
  });

  it("may not name sizes that its values do not have", () => {
    expect(() => read({ nodes: [product], initializers: [tensor("w", [4, 5], [1, 2])] })).toThrow('the initializer "w" has the shape [4, 5] and 2 values instead of 20');
    expect(() => read({ nodes: [product], initializers: [tensor("w", [2 ** 20, 2 ** 20], [])] })).toThrow("at most 536870912 are allowed");
    expect(() => read({ nodes: [product], initializers: [message(field(1, -4n), field(2, 1), field(8, "w"))] })).toThrow("sizes must be whole numbers");
    expect(() => read({ nodes: [product], initializers: [tensor("w", Array.from({ length: 9 }, () => 1), [1])] })).toThrow("9 axes; at most 8");
    expect(() => read({ nodes: [product], initializers: [message(field(1, 1), field(2, 8), field(8, "w"))] })).toThrow("values of type string");
  });

  it("may not make constants without end", () => {
    const shape = tensor("shape", [3], [2 ** 20, 2 ** 20, 4], 7);
    expect(() => read({ nodes: [wireNode("ConstantOfShape", ["shape"], ["big"]), wireNode("ReduceSum", ["big"], ["sum"]), wireNode("Add", ["x", "sum"], ["y"])], initializers: [shape] })).toThrow("entries; at most 67108864 are allowed");
    const range = [tensor("zero", [], [0], 7), tensor("many", [], [2 ** 40], 7), tensor("one", [], [1], 7)];
    expect(() => read({ nodes: [wireNode("Range", ["zero", "many", "one"], ["r"]), wireNode("Cast", ["r"], ["f"], field(5, message(field(1, "to"), field(3, 1), field(20, 2)))), wireNode("Add", ["x", "f"], ["y"])], initializers: range })).toThrow("at most 67108864 are allowed");
  });

  it("may not nest or call without end", () => {
    let inner = graphMessage({ nodes: [wireNode("Relu", ["x"], ["y"])], inputs: [] });
    for (let depth = 0; depth < 12; depth++) inner = graphMessage({ nodes: [wireNode("If", ["c"], ["y"], field(5, message(field(1, "then_branch"), field(6, inner), field(20, 5))))], inputs: [] });
    expect(() => readGraph(message(field(7, inner), field(8, field(2, 20))), { folder: null })).toThrow("nested more than 8 deep");
    const recursive = field(25, message(field(1, "Self"), field(4, "a"), field(5, "b"), field(7, wireNode("Self", ["a"], ["b"], field(7, "own"))), field(10, "own")));
    expect(() => read({ nodes: [wireNode("Self", ["x"], ["y"], field(7, "own"))], more: [recursive] })).toThrow("functions call each other more than 8 deep");
    const loop = graphMessage({ nodes: [wireNode("Identity", ["go"], ["again"]), wireNode("Relu", ["v"], ["w"])], inputs: [floatValue("i", []), floatValue("go", [], 9), floatValue("v", ["batch", 4])], outputs: [floatValue("again", []), floatValue("w", ["batch", 4])] });
    expect(() => read({ nodes: [wireNode("Loop", ["trips", "", "x"], ["y"], field(5, message(field(1, "body"), field(6, loop), field(20, 5))))], initializers: [tensor("trips", [], [1e9], 7)] })).toThrow("more than 4096 times");
  });

  it("reads values from files in its folder only", () => {
    const outside = join(folder, "secret.bin");
    const inside = join(folder, "model");
    mkdirSync(inside);
    writeFileSync(outside, new Uint8Array(64));
    writeFileSync(join(inside, "weights.bin"), new Uint8Array(Float32Array.from({ length: 18 }, (_, i) => i).buffer));
    symlinkSync(outside, join(inside, "link.bin"));
    const external = (location: string, offset = "8", length = "64") => {
      const entry = (key: string, value: string) => field(13, message(field(1, key), field(2, value)));
      return message(field(1, 4), field(1, 4), field(2, 1), field(8, "w"), entry("location", location), entry("offset", offset), entry("length", length), field(14, 1));
    };
    const load = (tensorBytes: Uint8Array) => read({ nodes: [product], initializers: [tensorBytes] }, inside);
    expect(load(external("weights.bin")).tensors.get("w")!.data[0]).toBe(2);
    expect(() => load(external("../secret.bin", "0"))).toThrow("outside the model's folder");
    expect(() => load(external("link.bin", "0"))).toThrow("outside the model's folder");
    expect(() => load(external(outside, "0"))).toThrow("outside the model's folder");
    expect(() => load(external("missing.bin"))).toThrow("cannot be read");
    expect(() => load(external("weights.bin", "16"))).toThrow("the file is truncated");
    expect(() => load(external("weights.bin", "-8"))).toThrow("the file is damaged");
    expect(() => read({ nodes: [product], initializers: [external("weights.bin")] })).toThrow("external_data=False");
  });

  it("never fails in another way, whatever its bytes are", () => {
    const files = ["mlp.old.onnx", "gru.default.onnx", "unet.keras.onnx"].map((name) => readFileSync(new URL(`../../onnx/fixtures/${name}`, import.meta.url)));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }), (which, edits) => {
        const bytes = Uint8Array.from(files[which]!);
        for (const [at, value] of edits) bytes[Math.floor(at * (bytes.length - 1))] = value;
        try {
          readGraph(bytes, { folder: null });
        } catch (error) {
          expect(error).toBeInstanceOf(GraphError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("a network that cannot be trained", () => {
  const attribute = (name: string, value: string) => field(5, message(field(1, name), field(4, value), field(20, 3)));
  it("names the node, the operator, the attribute, and what works", () => {
    expect(() => read({ nodes: [wireNode("NonMaxSuppression", ["x"], ["y"])] })).toThrow(/cannot be trained: NonMaxSuppression "the NonMaxSuppression".*those that work: Abs/);
    expect(() => read({ nodes: [wireNode("FusedGemm", ["x"], ["y"], field(7, "com.microsoft"))] })).toThrow("of the domain com.microsoft");
    expect(() => read({ nodes: [wireNode("Pad", ["x", "pads"], ["y"], attribute("mode", "odd"))], initializers: [tensor("pads", [4], [0, 1, 0, 1], 7)] })).toThrow('Pad "the Pad": mode = "odd" is not supported; allowed: "constant", "reflect", "edge", "wrap"');
    expect(() => read({ nodes: [wireNode("Reshape", ["x", "shape"], ["y"])], initializers: [tensor("shape", [2], [3, 5], 7)] })).toThrow('Reshape "the Reshape": an array of the shape [2, 4] cannot become [3, 5]');
  });

  it("has one input, which the output depends on", () => {
    const inputs = [floatValue("x", ["batch", 4]), floatValue("h", ["batch", 4])];
    expect(() => read({ nodes: [wireNode("Add", ["x", "h"], ["y"])], inputs })).toThrow("the network has 2 inputs that the data must give: x (float32 [batch, 4]), h (float32 [batch, 4]); 1 is allowed");
    expect(() => read({ nodes: [wireNode("Relu", ["w"], ["y"])], initializers: [weight] })).toThrow("the output depends on no input");
    expect(read({ nodes: [wireNode("Relu", ["x"], ["y"])], inputs }).description.inputs).toHaveLength(1);
  });
});

describe("a batch file that is wrong", () => {
  it("is refused with a reason", () => {
    expect(() => readBatch(new Uint8Array(10))).toThrow("the batch cannot be unpacked");
    const batch = readFileSync(new URL("../../onnx/fixtures/rnn.npz", import.meta.url));
    expect(() => readBatch(batch.subarray(0, 2000))).toThrow(GraphError);
    expect(readBatch(batch).get("loss")).toMatchObject({ shape: [], double: true, kind: "float" });
    // The limits are those of datasets.
    const bomb = Uint8Array.from(batch);
    new DataView(bomb.buffer).setUint32(bomb.findLastIndex((_, i) => bomb[i] === 0x50 && bomb[i + 1] === 0x4b && bomb[i + 2] === 1 && bomb[i + 3] === 2) + 24, 4_000_000_000, true);
    expect(() => readBatch(bomb)).toThrow(/the batch cannot be unpacked: .* would unpack to 4(\.0+)? GB; at most 268 MB are allowed.*; write it with numpy\.savez/);
    expect(() => readBatch(zipSync({ ["x".repeat(1_001)]: new Uint8Array(8) }))).toThrow("the name of a file in it has 1,001 characters; at most 1,000 are allowed");
  });
});
