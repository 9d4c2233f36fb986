/** Form fields of models and layers, generated from the schemas in the order of their labels. */
import { ownLayer, ownLayerKinds, type OwnLayerKind } from "@shared/models/layers.ts";
import { model, modelKinds, type ModelKind } from "@shared/models/schema.ts";
import type { Domain } from "@shared/optimizers.ts";
import { fieldShape, fieldsOfKind, isOptional, rangeOf, tupleLength } from "@shared/schemaFields.ts";
import { limitsOf } from "./fieldLimits.ts";
import { layerWords, modelWords, nameWords, stepsWords, type FieldWords } from "./modelWords.ts";
import type { StepKind } from "./numbers.ts";

interface FieldBase extends FieldWords {
  readonly name: string;
}

export interface NumberSpec extends FieldBase {
  readonly type: "number";
  readonly step: StepKind;
  readonly domain: Domain;
}

export interface ChoiceSpec extends FieldBase {
  readonly type: "choice";
  readonly choices: readonly { readonly value: string | number; readonly label: string }[];
}

/** Optional text. */
export interface TextSpec extends FieldBase {
  readonly type: "text";
}

export interface FlagSpec extends FieldBase {
  readonly type: "flag";
}

/** A list of whole numbers. */
export interface ListSpec extends FieldBase {
  readonly type: "list";
  /** One entry, counted from 1. */
  readonly item: string;
  readonly add: string;
  readonly max: number;
  readonly limits: Domain;
}

/** One whole number, or one for each direction or side. */
export interface SizesSpec extends FieldBase {
  readonly type: "sizes";
  readonly parts: number;
  readonly separator: string;
  readonly domain: Domain;
}

export type FieldSpec = SizesSpec | NumberSpec | ChoiceSpec | FlagSpec | TextSpec | ListSpec;

type Schemas = ReturnType<typeof fieldsOfKind>;

function fieldSpec(name: string, schema: Schemas[string], words: FieldWords): FieldSpec {
  const base = { name, ...words };
  const shape = fieldShape(schema);
  if (shape.kind === "choice") return { type: "choice", ...base, choices: shape.values.map((value) => ({ value, label: String(value) })) };
  if (shape.kind === "flag" || shape.kind === "text") return { type: shape.kind, ...base };
  if (shape.kind === "list") return { type: "list", item: name, add: "Add", ...base, max: shape.length.max, limits: rangeOf(shape.entry) };
  const parts = tupleLength(schema);
  if (parts !== null) return { type: "sizes", ...base, parts, separator: parts === 2 && name !== "padding" ? " × " : ", ", domain: rangeOf(schema) };
  return { type: "number", ...base, ...limitsOf(schema) };
}

const isLayers = (schema: Schemas[string]) => {
  const shape = fieldShape(schema);
  return shape.kind === "list" && fieldShape(shape.entry).kind === "union";
};

/** Fields without labels come last, under their own names. */
function specsOf(schemas: Schemas, words: Readonly<Record<string, FieldWords>>): FieldSpec[] {
  const order = Object.keys(words);
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(schemas)
    .filter(([name, schema]) => name !== "kind" && !isOptional(schema) && !isLayers(schema))
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, schema]) => fieldSpec(name, schema, words[name] ?? { label: name }));
}

const byKind = <Kind extends string>(kinds: readonly Kind[], specs: (kind: Kind) => FieldSpec[]) =>
  Object.fromEntries(kinds.map((kind) => [kind, specs(kind)])) as unknown as Record<Kind, readonly FieldSpec[]>;

export const modelFields: Record<ModelKind, readonly FieldSpec[]> = byKind(modelKinds, (kind) => specsOf(fieldsOfKind(model, kind), modelWords[kind]));
export const layerFields: Record<OwnLayerKind, readonly FieldSpec[]> = byKind(ownLayerKinds, (kind) => specsOf(fieldsOfKind(ownLayer, kind), layerWords[kind]));

/** For own architectures on texts. */
export const stepsField = fieldSpec("steps", fieldsOfKind(model, "sequential")["steps"]!, stepsWords) as NumberSpec;
/** For every layer. */
export const nameField: FieldSpec = { type: "text", name: "name", ...nameWords };
