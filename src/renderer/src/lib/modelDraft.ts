/** A model while it is written: every number may be text that is not yet one. */
import { layer as layerSchema, layerKinds, type LayerKind } from "@shared/models/layers.ts";
import { model as modelSchema, modelKinds, type ModelConfig, type ModelKind } from "@shared/models/schema.ts";
import { layerFields, modelFields, type FieldSpec } from "./modelFields.ts";
import type { Entry } from "./numbers.ts";

export type FieldValue = Entry | boolean | readonly Entry[];

export interface DraftLayer {
  readonly kind: LayerKind;
  readonly [field: string]: FieldValue;
}

export interface DraftModel {
  readonly kind: ModelKind;
  readonly layers?: FieldValue | readonly DraftLayer[];
  readonly [field: string]: FieldValue | readonly DraftLayer[] | undefined;
}

/** A model as it is edited. */
export const draftOfModel = (config: ModelConfig): DraftModel => structuredClone(config) as unknown as DraftModel;

/** A model of a kind with its defaults. */
export const newModel = (kind: ModelKind): DraftModel => draftOfModel(modelSchema.parse({ kind }));

/** What a new layer starts with where its schema has no default. */
const starts: Partial<Record<LayerKind, object>> = { conv2d: { channels: 16 } };

/** A layer of a kind with its defaults. */
export const newLayer = (kind: LayerKind): DraftLayer => layerSchema.parse({ kind, ...starts[kind] }) as unknown as DraftLayer;

const forImages: readonly LayerKind[] = ["conv2d", "maxPool", "avgPool", "globalAvgPool", "imageRows"];

/** Where a new layer most likely belongs: what needs images while there are some, the rest before the layer that answers the classes. */
export function placeFor(layers: readonly DraftLayer[], kind: LayerKind): number {
  const flattening = layers.findIndex((layer) => layer.kind === "flatten" || layer.kind === "globalAvgPool");
  if (forImages.includes(kind) && flattening >= 0) return flattening;
  const last = layers.at(-1);
  return last?.kind === "linear" && last["width"] === "classes" ? layers.length - 1 : layers.length;
}

/** The layers of an own architecture; none for another model. */
export function layersOf(model: DraftModel): readonly DraftLayer[] {
  return model.kind === "sequential" && Array.isArray(model.layers) ? (model.layers as readonly DraftLayer[]) : [];
}

const isEntry = (value: unknown): boolean => typeof value === "number" || typeof value === "string";

function holds({ type, name }: FieldSpec, object: Readonly<Record<string, unknown>>): boolean {
  const value = object[name];
  if (type === "list") return Array.isArray(value) && value.every(isEntry);
  return type === "flag" ? typeof value === "boolean" : isEntry(value);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

function isDraftLayer(value: unknown): boolean {
  if (!isObject(value)) return false;
  const kind = layerKinds.find((known) => known === value["kind"]);
  return kind !== undefined && layerFields[kind].every((field) => holds(field, value));
}

/** Whether a remembered value is a model whose form can be shown. */
export function isDraftModel(value: unknown): value is DraftModel {
  if (!isObject(value)) return false;
  const kind = modelKinds.find((known) => known === value["kind"]);
  if (kind === undefined || !modelFields[kind].every((field) => holds(field, value))) return false;
  return kind !== "sequential" || (Array.isArray(value["layers"]) && value["layers"].every(isDraftLayer));
}
