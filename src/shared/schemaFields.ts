/** What a schema allows, read from the schema: a form has no ranges or choices of its own. */
import { z } from "zod";
import { inDomain, type Domain } from "./optimizers.ts";

/** Numbers a field accepts; an open side is infinite. */
export interface NumberRange extends Domain {
  readonly whole: boolean;
}

export const inRange = (value: number, range: NumberRange): boolean => inDomain(value, range) && (!range.whole || Number.isInteger(value));

/** Number of entries a list may have. */
export type LengthRange = Pick<Domain, "min" | "max">;

export type FieldShape =
  | { readonly kind: "number"; readonly range: NumberRange }
  | { readonly kind: "choice"; readonly values: readonly (string | number)[] }
  | { readonly kind: "flag" }
  | { readonly kind: "text" }
  | { readonly kind: "list"; readonly entry: z.ZodType; readonly length: LengthRange }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, z.ZodType>> }
  | { readonly kind: "union"; readonly options: readonly z.ZodType[] };

/** The schema behind defaults, `null` and preprocessing. */
function bare(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  return schema as z.ZodType;
}

function numberRange(schema: z.ZodNumber): NumberRange {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = z.toJSONSchema(schema);
  const minExclusive = typeof exclusiveMinimum === "number";
  const maxExclusive = typeof exclusiveMaximum === "number";
  return {
    whole: type === "integer",
    min: minExclusive ? exclusiveMinimum : (minimum ?? -Infinity),
    max: maxExclusive ? exclusiveMaximum : (maximum ?? Infinity),
    ...(minExclusive && { minExclusive }),
    ...(maxExclusive && { maxExclusive }),
  };
}

/** @throws Error for a schema that no form shows, such as a record */
export function fieldShape(schema: z.core.$ZodType): FieldShape {
  const found = bare(schema);
  if (found instanceof z.ZodNumber) return { kind: "number", range: numberRange(found) };
  if (found instanceof z.ZodEnum) return { kind: "choice", values: found.options };
  if (found instanceof z.ZodLiteral) return { kind: "choice", values: [...found.values] as (string | number)[] };
  if (found instanceof z.ZodBoolean) return { kind: "flag" };
  if (found instanceof z.ZodString) return { kind: "text" };
  if (found instanceof z.ZodObject) return { kind: "object", fields: found.shape as Readonly<Record<string, z.ZodType>> };
  if (found instanceof z.ZodUnion) return { kind: "union", options: found.options as readonly z.ZodType[] };
  if (found instanceof z.ZodArray) {
    const { minItems = 0, maxItems = Infinity } = z.toJSONSchema(found, { unrepresentable: "any", io: "input" });
    return { kind: "list", entry: found.element as z.ZodType, length: { min: minItems, max: maxItems } };
  }
  throw new Error(`no form shows a schema of type ${found.def.type}`);
}

/** The numbers among what a field accepts, such as a step count beside `epoch` and `end`. @throws Error where there are none */
export function rangeOf(schema: z.core.$ZodType): NumberRange {
  const shape = fieldShape(schema);
  if (shape.kind === "number") return shape.range;
  const numeric = shape.kind === "union" ? shape.options.find((option) => bare(option) instanceof z.ZodNumber) : undefined;
  if (!numeric) throw new Error(`a field of type ${bare(schema).def.type} accepts no numbers`);
  return rangeOf(numeric);
}

/** @throws Error where the schema is no list */
export function lengthOf(schema: z.core.$ZodType): NumberRange {
  const shape = fieldShape(schema);
  if (shape.kind !== "list") throw new Error(`a field of type ${bare(schema).def.type} is no list`);
  return { ...shape.length, whole: true };
}

function child(schema: z.core.$ZodType, key: string): z.ZodType | undefined {
  const shape = fieldShape(schema);
  if (shape.kind === "object") return shape.fields[key];
  if (shape.kind === "list") return /^\d+$/.test(key) ? shape.entry : undefined;
  if (shape.kind !== "union") return undefined;
  for (const option of shape.options) {
    const found = child(option, key);
    if (found) return found;
  }
  return undefined;
}

/**
 * The schema at a dotted path such as `budget.epochs` or `axes.0.values.points`; of a union, that of
 * the first option with the field.
 * @throws Error where there is no such field
 */
export function fieldAt(schema: z.core.$ZodType, path: string): z.ZodType {
  return path.split(".").reduce<z.ZodType>((at, key) => {
    const found = child(at, key);
    if (!found) throw new Error(`the schema has no field ${path}: ${key} is missing`);
    return found;
  }, schema as z.ZodType);
}

/** Number of values of a list that a field accepts beside a single number; null where there is none. */
export function tupleLength(schema: z.core.$ZodType): number | null {
  const shape = fieldShape(schema);
  const tuple = shape.kind === "union" ? shape.options.find((option) => option instanceof z.ZodTuple) : undefined;
  return tuple ? tuple.def.items.length : null;
}

/** The fields of one option of a union told apart by `kind`. @throws Error where there is no such option */
export function fieldsOfKind(schema: z.core.$ZodType, kind: string): Readonly<Record<string, z.ZodType>> {
  const shape = fieldShape(schema);
  for (const option of shape.kind === "union" ? shape.options : []) {
    const of = fieldShape(option);
    const tag = of.kind === "object" ? of.fields["kind"] : undefined;
    const tags = tag && fieldShape(tag);
    if (of.kind === "object" && tags?.kind === "choice" && tags.values.includes(kind)) return of.fields;
  }
  throw new Error(`the schema has no kind ${kind}`);
}

export const isOptional = (schema: z.core.$ZodType): boolean => schema instanceof z.ZodOptional;
