/** A model being edited: every number may be text that is not a number yet. */
import { layersOf as listOfLayers, ownLayer, ownLayerKinds, type OwnLayerKind } from "@shared/models/layers.ts";
import { ownLayers } from "@shared/models/architecture.ts";
import { describeLayers, ModelError, type LayerDescription } from "@shared/models/describe.ts";
import { model as modelSchema, modelKinds, type ModelConfig, type ModelKind } from "@shared/models/schema.ts";
import type { NetworkFacts } from "@shared/models/network.ts";
import type { DataShape, Signal } from "@shared/models/shape.ts";
import { layerFields, modelFields, nameField, type FieldSpec } from "./modelFields.ts";
import type { Entry } from "./numbers.ts";

export type FieldValue = Entry | boolean | readonly Entry[];

export interface DraftLayer {
  /** Identity while editing; never stored with a run. */
  readonly id: number;
  readonly kind: OwnLayerKind;
  readonly [field: string]: FieldValue | readonly DraftLayer[] | undefined;
}

export interface DraftModel {
  readonly kind: ModelKind;
  readonly layers?: FieldValue | readonly DraftLayer[];
  /** Of an imported network. */
  readonly facts?: NetworkFacts;
  readonly [field: string]: FieldValue | readonly DraftLayer[] | NetworkFacts | undefined;
}

let lastId = 0;

type Fields = Readonly<Record<string, unknown>>;

/** Settings that layers of earlier versions lack. */
const laterSettings: { readonly [Kind in OwnLayerKind]?: readonly string[] } = {
  conv2d: ["dilation", "groups"],
  maxPool: ["stride", "padding"],
  avgPool: ["stride", "padding", "countPadding"],
};

/** Gives a remembered layer the settings that came after it. */
function completed(layer: Fields): Fields {
  const kind = ownLayerKinds.find((known) => known === layer["kind"]);
  const missing = kind && laterSettings[kind]?.filter((name) => !(name in layer));
  if (!missing || missing.length === 0) return layer;
  const usual = ownLayer.parse({ kind, ...startOf(kind) }) as Fields;
  return { ...layer, ...Object.fromEntries(missing.map((name) => [name, usual[name]])) };
}

/** Gives a layer and its inner layers ids. */
function identified(layer: Fields): DraftLayer {
  const { layers } = layer;
  return { ...completed(layer), ...(Array.isArray(layers) ? { layers: (layers as Fields[]).map(identified) } : {}), id: ++lastId } as DraftLayer;
}

/** A draft from a configuration or a remembered value. */
export function draftOfModel(config: ModelConfig | DraftModel): DraftModel {
  const copy = JSON.parse(JSON.stringify(config)) as Fields;
  return (copy["kind"] === "sequential" ? { ...copy, layers: (copy["layers"] as Fields[]).map(identified) } : copy) as unknown as DraftModel;
}

/** Layers inside a block; empty for other layers. */
export const insideOf = ({ kind, layers }: DraftLayer): readonly DraftLayer[] => (kind === "residual" ? (layers as readonly DraftLayer[]) : []);

function layerOf(draft: DraftLayer): object {
  const { id: _id, ...layer } = draft;
  const { kind, name } = layer;
  return { ...layer, name: name === "" ? undefined : name, ...(kind === "residual" ? { layers: insideOf(draft).map(layerOf) } : {}) };
}

/** The model for requests; not validated. */
export function modelOf(draft: DraftModel): object {
  return draft.kind === "sequential" ? { ...draft, layers: layersOf(draft).map(layerOf) } : draft;
}

/** A model of this kind with defaults. */
export const newModel = (kind: ModelKind): DraftModel => draftOfModel(modelSchema.parse({ kind }));

/** Layers for a new block that fit its input. */
function blockFor(signal: Signal | undefined): object[] {
  const [width = 16, ...more] = signal?.kind === "values" ? signal.shape : [16, 1, 1];
  if (more.length < 2) {
    const linear = { kind: "linear", width: more[0] ?? width };
    return [linear, { kind: "relu" }, linear];
  }
  const normalized = [{ kind: "conv2d", channels: width, bias: false }, { kind: "batchNorm" }];
  return [...normalized, { kind: "relu" }, ...normalized];
}

const isConvolution = (kind: OwnLayerKind) => kind === "conv2d" || kind === "conv1d" || kind === "convTranspose2d";

/** Initial settings of a new layer where the schema has no suitable default. */
function startOf(kind: OwnLayerKind, signal?: Signal): object {
  if (isConvolution(kind)) return { channels: 16 };
  return kind === "residual" ? { layers: blockFor(signal) } : {};
}

/** A layer of this kind with defaults. */
export const newLayer = (kind: OwnLayerKind, signal?: Signal): DraftLayer => identified(ownLayer.parse({ kind, ...startOf(kind, signal) }));

const forImages: readonly OwnLayerKind[] = ["conv2d", "convTranspose2d", "maxPool", "avgPool", "globalAvgPool", "globalMaxPool", "imageRows", "groupNorm", "residual"];

const answersClasses = (layer: DraftLayer | undefined) => layer?.kind === "linear" && layer["width"] === "classes";

/**
 * Likely index of a new layer: after the images for image layers, otherwise before the output
 * layer.
 */
export function placeFor(layers: readonly DraftLayer[], kind: OwnLayerKind): number {
  const flattening = layers.findIndex((layer) => layer.kind === "flatten" || layer.kind === "globalAvgPool" || layer.kind === "globalMaxPool");
  if (forImages.includes(kind) && flattening >= 0) return flattening;
  return answersClasses(layers.at(-1)) ? layers.length - 1 : layers.length;
}

/** Adds a layer that fits its input; only one linear layer outputs the classes. */
export function withNewLayer(layers: readonly DraftLayer[], kind: OwnLayerKind, place: number, signal?: Signal): DraftLayer[] {
  const layer = newLayer(kind, signal);
  return layers.toSpliced(place, 0, answersClasses(layer) && answersClasses(layers.at(-1)) ? { ...layer, width: 128 } : layer);
}

/** Inserts a copy after the layer, without its name. */
export function withDuplicate(layers: readonly DraftLayer[], index: number): DraftLayer[] {
  const { name: _name, ...original } = layers[index]!;
  return layers.toSpliced(index + 1, 0, identified(original));
}

export function withMoved(layers: readonly DraftLayer[], from: number, to: number): DraftLayer[] {
  if (to < 0 || to >= layers.length) return [...layers];
  return layers.toSpliced(from, 1).toSpliced(to, 0, layers[from]!);
}

/** Changes a layer's kind and keeps its name. */
export function withKind(layers: readonly DraftLayer[], index: number, kind: OwnLayerKind): DraftLayer[] {
  const { name, id } = layers[index]!;
  return layers.with(index, { ...newLayer(kind), ...(name === undefined ? {} : { name }), id });
}

export function withField(layers: readonly DraftLayer[], index: number, field: string, value: FieldValue | readonly DraftLayer[]): DraftLayer[] {
  return layers.with(index, { ...layers[index]!, [field]: value });
}

/** The layers of an own architecture; empty for another model. */
export function layersOf(model: DraftModel): readonly DraftLayer[] {
  return model.kind === "sequential" && Array.isArray(model.layers) ? (model.layers as readonly DraftLayer[]) : [];
}

/** Description of every layer by path (`model.layers.2`), up to the first error. */
export function factsOfLayers(model: DraftModel, data: DataShape): ReadonlyMap<string, LayerDescription> {
  const facts = new Map<string, LayerDescription>();
  const written = layersOf(model).map(layerOf);
  const known = written.findIndex((layer) => !ownLayer.safeParse(layer).success);
  const parsed = listOfLayers(ownLayer, "model.layers").safeParse(written.slice(0, known < 0 ? undefined : known));
  if (!parsed.success) return facts;
  try {
    describeLayers(ownLayers(parsed.data, ["model", "layers"]), data.input, data, (layer) => facts.set((layer.path ?? []).join("."), layer));
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
  return facts;
}

const isEntry = (value: unknown): boolean => typeof value === "number" || typeof value === "string";

function holds({ type, name }: FieldSpec, object: Fields): boolean {
  const value = object[name];
  if (type === "list") return Array.isArray(value) && value.every(isEntry);
  if (type === "sizes" && Array.isArray(value)) return value.every(isEntry);
  if (type === "text") return value === undefined || typeof value === "string";
  return type === "flag" ? typeof value === "boolean" : isEntry(value);
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

function isDraftLayer(value: unknown): boolean {
  if (!isObject(value)) return false;
  const kind = ownLayerKinds.find((known) => known === value["kind"]);
  if (kind === undefined || ![...layerFields[kind], nameField].every((field) => holds(field, completed(value)))) return false;
  return kind !== "residual" || (Array.isArray(value["layers"]) && value["layers"].every((inner) => isDraftLayer(inner) && isObject(inner) && inner["kind"] !== "residual"));
}

/** Whether a remembered value is a valid model draft. */
export function isDraftModel(value: unknown): value is DraftModel {
  if (!isObject(value)) return false;
  const kind = modelKinds.find((known) => known === value["kind"]);
  if (kind === undefined || !modelFields[kind].every((field) => holds(field, value))) return false;
  return kind !== "sequential" || (Array.isArray(value["layers"]) && value["layers"].every(isDraftLayer));
}
