/** Inputs over IPC: JSON of a bounded size, and nothing else that a structured clone can hold. */
import { expect, it } from "vitest";
import { inputProblem } from "../../../src/main/desktop/plainInput.ts";

const cyclic: Record<string, unknown> = {};
cyclic["self"] = { inner: [cyclic] };
const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);

it.each([undefined, null, 1, NaN, "text", true, {}, [], { a: [1, { b: undefined }] }, Object.create(null) as object, nested(150), "x".repeat(1024 * 1024)])("takes JSON", (input) => {
  expect(inputProblem(input)).toBeNull();
});

it.each([new Map(), new Set(), new Date(), /x/, 1n, new Error("x"), new ArrayBuffer(8), new Float64Array(8), { deep: [{ map: new Map() }] }])("refuses what JSON cannot hold", (input) => {
  expect(inputProblem(input)).toContain("must be JSON");
});

it("refuses cycles, great depth and great size, quickly", () => {
  for (const input of [cyclic, nested(500), nested(100_000)]) expect(inputProblem(input)).toContain("nested more than 200 levels");
  for (const input of ["x".repeat(1024 * 1024 + 1), Array.from({ length: 2_000_000 }, () => 1), { a: { ["k".repeat(2_000_000)]: 1 } }, new Array(2 ** 31)]) expect(inputProblem(input)).toContain("larger than");
});
