/** Fields of a Zod schema, as rows of a reference table. */
import { z } from "zod";
import { fieldShape, type FieldShape } from "../../src/shared/schemaFields.ts";

export interface FieldRow {
  readonly path: string;
  readonly type: string;
  readonly fallback: string;
  readonly allowed: string;
}

const number = (value: number) => (Math.abs(value) >= 1e9 && Number.isInteger(Math.log10(value)) ? value.toExponential().replace("+", "") : value >= 10_000 ? value.toLocaleString("en-US") : String(value));

function rangeText({ min, max, minExclusive, maxExclusive }: { min: number; max: number; minExclusive?: boolean; maxExclusive?: boolean }): string {
  const low = Number.isFinite(min) && min > -Number.MAX_SAFE_INTEGER ? min : undefined;
  const high = Number.isFinite(max) && max < Number.MAX_SAFE_INTEGER ? max : undefined;
  if (low === undefined && high === undefined) return "";
  if (high === undefined) return `${minExclusive ? "above " : ""}${number(low!)}${minExclusive ? "" : " or more"}`;
  return `${minExclusive ? "above " : ""}${number(low ?? 0)} to ${maxExclusive ? "below " : ""}${number(high)}`;
}

function describe(shape: FieldShape, schema: z.core.$ZodType): { type: string; allowed: string } {
  switch (shape.kind) {
    case "number":
      return { type: shape.range.whole ? "whole number" : "number", allowed: rangeText(shape.range) };
    case "choice":
      return { type: "choice", allowed: shape.values.map((value) => `\`${value}\``).join(", ") };
    case "flag":
      return { type: "true or false", allowed: "" };
    case "text": {
      const { maxLength } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as { maxLength?: number };
      return { type: "text", allowed: maxLength === undefined ? "" : `at most ${maxLength} characters` };
    }
    case "list": {
      const { min, max } = shape.length;
      const entry = shapeOf(shape.entry);
      const of = entry ? describe(entry, shape.entry) : { type: "entries", allowed: "" };
      const length = Number.isFinite(max) ? `${min} to ${number(max)} entries` : min > 0 ? `at least ${min} entry` : "";
      return { type: `list of ${of.type === "object" ? "objects" : `${of.type}s`}`, allowed: [of.allowed && `each ${of.allowed}`, length].filter(Boolean).join("; ") };
    }
    case "object":
      return { type: "object", allowed: "" };
    case "union": {
      const options = shape.options.map((option) => shapeOf(option)).map((option, i) => (option ? describe(option, shape.options[i]!) : { type: shape.options[i] instanceof z.ZodTuple ? `list of ${shape.options[i].def.items.length}` : "object", allowed: "" }));
      const types = [...new Set(options.map(({ type }) => type))];
      return { type: types.join(", or "), allowed: [...new Set(options.map(({ allowed }) => allowed).filter(Boolean))].join(", or ") };
    }
  }
}

/** Undefined for what no form shows, such as a record. */
export function shapeOf(schema: z.core.$ZodType): FieldShape | undefined {
  try {
    return fieldShape(schema);
  } catch {
    return undefined;
  }
}

/** The default as JSON; empty for an object that is filled in, and for what may be left out. */
export function fallbackOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const value: unknown = schema.def.defaultValue;
    return schema instanceof z.ZodPrefault && JSON.stringify(value) === "{}" ? "" : `\`${JSON.stringify(value).replaceAll(",", ", ").replaceAll("\":", "\": ").replaceAll("0.00001", "1e-5")}\``;
  }
  return schema instanceof z.ZodOptional ? "" : "required";
}

/**
 * Rows of an object's fields, those of nested objects by dotted path.
 * @param flat paths that get one row, whatever is in them
 */
export function fieldRows(schema: z.core.$ZodType, flat: ReadonlySet<string> = new Set(), prefix = ""): FieldRow[] {
  const shape = shapeOf(schema);
  if (shape?.kind !== "object") throw new Error(`${prefix || "the schema"} is no object`);
  return Object.entries(shape.fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = shapeOf(field);
    if (inner?.kind === "object" && !flat.has(path)) return fieldRows(field, flat, `${path}.`);
    const { type, allowed } = inner ? describe(inner, field) : { type: "object", allowed: "" };
    return [{ path, type, fallback: fallbackOf(field), allowed }];
  });
}
