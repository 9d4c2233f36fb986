import { expect, it } from "vitest";
import { z } from "zod";
import { experiment } from "../../../src/shared/experiment.ts";
import { fieldAt, fieldShape, fieldsOfKind, inRange, lengthOf, rangeOf } from "../../../src/shared/schemaFields.ts";
import { study } from "../../../src/shared/study/study.ts";

it("reads a range with its open and excluded ends, whatever stands around the number", () => {
  expect(rangeOf(z.number().int().min(2).max(9).default(3))).toEqual({ whole: true, min: 2, max: 9 });
  expect(rangeOf(z.number().gt(0).lt(1).nullable().optional())).toEqual({ whole: false, min: 0, max: 1, minExclusive: true, maxExclusive: true });
  expect(rangeOf(z.number())).toEqual({ whole: false, min: -Infinity, max: Infinity });
  expect(rangeOf(z.union([z.enum(["epoch", "end"]), z.int().min(1).max(5)]))).toEqual({ whole: true, min: 1, max: 5 });
  expect(rangeOf(z.preprocess((value) => value, z.number().min(1).max(2)))).toMatchObject({ min: 1, max: 2 });
  expect(() => rangeOf(z.string())).toThrow("a field of type string accepts no numbers");
});

it("tells whether a number is in a range", () => {
  const range = rangeOf(z.number().int().min(1).max(3));
  expect([0, 1, 1.5, 3, 4].map((value) => inRange(value, range))).toEqual([false, true, false, true, false]);
});

it("finds fields by path, through lists and unions, and the fields of a kind", () => {
  expect(rangeOf(fieldAt(experiment, "dataset.augmentation.crop"))).toMatchObject({ whole: true, min: 0, max: 64 });
  expect(rangeOf(fieldAt(study, "axes.0.values.points"))).toMatchObject({ whole: true, min: 1, max: 1000 });
  expect(lengthOf(fieldAt(study, "seeds"))).toEqual({ whole: true, min: 1, max: 1000 });
  expect(() => fieldAt(experiment, "budget.years")).toThrow("the schema has no field budget.years: years is missing");
  expect(() => lengthOf(fieldAt(experiment, "seed"))).toThrow("a field of type number is no list");
  const kinds = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("a") }), z.strictObject({ kind: z.literal("b"), on: z.boolean() })]);
  expect(Object.keys(fieldsOfKind(kinds, "b"))).toEqual(["kind", "on"]);
  expect(fieldShape(fieldsOfKind(kinds, "b")["on"]!)).toEqual({ kind: "flag" });
  expect(() => fieldsOfKind(kinds, "c")).toThrow("the schema has no kind c");
});
