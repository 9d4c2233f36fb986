/** Safetensors files: written block by block, and read with every number of the header checked. */
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { batchCounters } from "../../../src/core/weights/batchCounters.ts";
import { encodeWeights } from "../../../src/core/weights/file.ts";
import { inFileOrder, parseSafetensors, safetensorsHeader, widthOfType, type TensorEntry } from "../../../src/core/weights/safetensors.ts";
import { model } from "../../../src/shared/models/schema.ts";
import { tiedNames } from "../../../src/shared/models/tied.ts";
import { safetensorsOf } from "../../../src/main/hosting/weights/safetensors.ts";

const evaluation = { step: 70, epoch: 1, trainLoss: null, testLoss: 1, testError: 1 };
const arrays = [
  { name: "conv1.weight", shape: [2, 3], values: Float64Array.of(1, 2, 3, 4, 5, 6.5) },
  { name: "bn1.weight", shape: [1], values: Float64Array.of(0.5) },
  { name: "third", shape: [2], values: Float64Array.of(1 / 3, 2) },
  { name: "bn1.running_mean", shape: [1], values: Float64Array.of(1 / 3) },
  { name: "bn1.running_var", shape: [1], values: Float64Array.of(2) },
];
const weights = encodeWeights({ run: "a", experiment: {}, savedAt: 1, evaluation, arrays });
const written = () => buffer(safetensorsOf((at, length) => Promise.resolve(weights.subarray(at, at + length)), weights.length, { metadata: (header) => ({ step: String(header.evaluation.step) }), tied: { "head.weight": "conv1.weight", "other.weight": "none.weight" } }));

it("holds the arrays under their names, the count of batches beside running statistics, and texts", async () => {
  const file = await written();
  const { tensors, metadata } = parseSafetensors(file, "weights");
  expect(metadata).toEqual({ step: "70" });
  const found = [...tensors].map(([name, { type, shape, values }]) => [name, type, shape, [...values]]);
  expect(found).toEqual([
    ["third", "F64", [2], [1 / 3, 2]],
    ["bn1.running_mean", "F64", [1], [1 / 3]],
    ["bn1.num_batches_tracked", "I64", [], [70]],
    ["conv1.weight", "F32", [2, 3], [1, 2, 3, 4, 5, 6.5]],
    ["bn1.weight", "F32", [1], [0.5]],
    ["bn1.running_var", "F32", [1], [2]],
    ["head.weight", "F32", [2, 3], [1, 2, 3, 4, 5, 6.5]],
  ]);
  expect(file.readBigUInt64LE(0) % 8n).toBe(0n);
  expect(file.equals(await written())).toBe(true);
});

it("finds the arrays that a transformer's embedding shares with its output", () => {
  const data = { input: { kind: "tokens", shape: [4], vocabulary: 5 }, classes: 5 } as const;
  const config = { kind: "transformer", layers: 1, heads: 2, width: 4, context: 4 } as const;
  expect(tiedNames(model.parse(config), data)).toEqual({ "lm_head.weight": "transformer.wte.weight" });
  expect(tiedNames(model.parse({ ...config, tied: false }), data)).toEqual({});
});

it("counts batches only beside both running statistics, and once", () => {
  expect(batchCounters(["running_mean", "running_var", "a.running_mean", "b.running_mean", "b.running_var", "b.num_batches_tracked", "not_running_mean", "not_running_var"])).toEqual(["num_batches_tracked"]);
});

function fileOf(header: unknown, data = new Uint8Array()): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

it("reads every type", () => {
  const data = Buffer.from([0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc, 0x80, 0x3f, 0xff, 0xff, 0x01]);
  const { tensors } = parseSafetensors(fileOf({ half: { dtype: "F16", shape: [3], data_offsets: [0, 6] }, brain: { dtype: "BF16", shape: [], data_offsets: [6, 8] }, short: { dtype: "I16", shape: [1], data_offsets: [8, 10] }, flag: { dtype: "BOOL", shape: [1], data_offsets: [10, 11] } }, data), "f");
  expect([...tensors.values()].map(({ values }) => [...values])).toEqual([[1, 2 ** -24, -Infinity], [1], [-1], [1]]);
});

it.each([
  ["a file of 5 bytes", new Uint8Array(5), "f: not a .safetensors file: 5 bytes"],
  ["a header beyond the file", fileOf("{}").subarray(0, 9), "its header would have 2 bytes, and the file has 9"],
  ["a huge header", Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 123]), "its header would have"],
  ["no JSON", fileOf("{nothing"), "f: its header is not JSON"],
  ["a list", fileOf([]), "f: its header is not a JSON object"],
  ["an unknown type", fileOf({ w: { dtype: "F8_E4M3", shape: [], data_offsets: [0, 1] } }, new Uint8Array(1)), 'the array w: its type is "F8_E4M3"; supported: F64, I64'],
  ["too few bytes", fileOf({ w: { dtype: "F32", shape: [2, 2], data_offsets: [0, 8] } }, new Uint8Array(8)), "the array w has 8 bytes; 2 x 2 of F32 needs 16"],
  ["an overlap", fileOf({ v: { dtype: "U8", shape: [4], data_offsets: [0, 4] }, w: { dtype: "U8", shape: [4], data_offsets: [2, 6] } }, new Uint8Array(6)), "the array w begins at byte 2 of the data; the one before ends at 4"],
  ["a gap", fileOf({ w: { dtype: "U8", shape: [2], data_offsets: [2, 4] } }, new Uint8Array(4)), "begins at byte 2 of the data; the one before ends at 0"],
  ["bytes that no array has", fileOf({ w: { dtype: "U8", shape: [2], data_offsets: [0, 2] } }, new Uint8Array(3)), "the arrays have 2 bytes, and 3 follow the header"],
  ["a negative size", fileOf({ w: { dtype: "U8", shape: [-1], data_offsets: [0, 2] } }, new Uint8Array(2)), "its shape has a negative number"],
  ["a size that overflows", fileOf({ w: { dtype: "F32", shape: [2 ** 52, 2 ** 52], data_offsets: [0, 2] } }, new Uint8Array(2)), "the array w has 2 bytes"],
  ["metadata that is no text", fileOf({ __metadata__: { a: 1 } }), "its __metadata__ holds something that is not a text"],
])("refuses %s", (_, bytes, message) => {
  expect(() => parseSafetensors(bytes, "f")).toThrow(message);
});

it("reads what it writes, and survives any change of a byte", () => {
  const tensor = fc.record({ type: fc.constantFrom<TensorEntry["type"][]>("F64", "F32", "F16", "I64", "U8"), shape: fc.array(fc.nat(3), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(tensor, { maxLength: 5 }), fc.nat(), fc.nat(255), (given, at, byte) => {
      const entries = inFileOrder(given.map((entry, i) => ({ ...entry, name: `t${i}` })));
      const size = (entry: TensorEntry) => entry.shape.reduce((n, m) => n * m, widthOfType(entry.type));
      const file = Buffer.concat([safetensorsHeader(entries, {}), ...entries.map((entry) => Buffer.alloc(size(entry), 1))]);
      const { tensors } = parseSafetensors(file, "f");
      expect([...tensors].map(([name, { type, shape }]) => ({ name, type, shape }))).toEqual(entries.map(({ name, type, shape }) => ({ name, type, shape })));
      file[at % file.length] = byte;
      try {
        parseSafetensors(file, "f");
      } catch (error) {
        expect((error as Error).message).toMatch(/^f: /);
      }
    }),
    { numRuns: 200 },
  );
});
