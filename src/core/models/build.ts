/** Builds a model from described layers. */
import { flatLayers } from "../../shared/models/architecture.ts";
import type { LayerDescription } from "../../shared/models/describe.ts";
import type { LayerKind } from "../../shared/models/layers.ts";
import type { Node } from "../program/node.ts";
import { input } from "../program/operations/index.ts";
import type { Activations } from "./activations.ts";
import { attentionLayers } from "./layers/attention.ts";
import { draw } from "./initialization.ts";
import { elementwiseLayers } from "./layers/elementwise.ts";
import { imageLayers, residual } from "./layers/images.ts";
import type { Apply, Scope } from "./layers/layer.ts";
import { linearLayers } from "./layers/linear.ts";
import { normalizationLayers } from "./layers/batchNorm.ts";
import { dropoutLayers } from "./layers/dropout.ts";
import { recurrentLayers } from "./layers/recurrent.ts";
import { transformerLayers } from "./layers/transformer.ts";
import type { Model, Pass } from "./model.ts";

const layers: { readonly [K in LayerKind]: Apply<K> } = {
  ...elementwiseLayers,
  ...imageLayers,
  ...linearLayers,
  ...normalizationLayers,
  ...dropoutLayers,
  ...recurrentLayers,
  ...transformerLayers,
  ...attentionLayers,
};

/** The model of described layers; parameters and buffers by full name, in layer order. */
export function buildModel(described: readonly LayerDescription[]): Model {
  const flat = flatLayers(described);
  const parameters = flat.flatMap(({ name, parameters }) =>
    parameters.map(({ name: own, shape, initialization }) => ({
      name: `${name}.${own}`,
      shape,
      initialize: (random: Parameters<typeof draw>[2]) => draw(initialization, shape, random),
    })),
  );
  const named = <T extends { readonly name: string }>(of: (layer: LayerDescription) => readonly T[]): T[] =>
    flat.flatMap((layer) => of(layer).map((one) => ({ ...one, name: `${layer.name}.${one.name}` })));
  return {
    parameters,
    buffers: named(({ buffers }) => buffers),
    masks: named(({ masks }) => masks),
    forward(x, pass) {
      const nodes = new Map(parameters.map(({ name }, i) => [name, pass.parameters[i]!]));
      const replaced: Record<string, Node> = {};
      const output = run(described, x, { scopeFor: (layer) => scopeOf(layer, nodes, pass, replaced), onModule: pass.onModule }, "");
      return { output, buffers: replaced };
    },
  };
}

function scopeOf(layer: string, parameters: ReadonlyMap<string, Node>, pass: Pass, replaced: Record<string, Node>): Scope {
  const known = (what: string, name: string, node: Node | undefined): Node => {
    if (!node) throw new Error(`${layer} has no ${what} ${name}`);
    return node;
  };
  return {
    training: pass.training,
    parameter: (name) => known("parameter", name, parameters.get(`${layer}.${name}`)),
    parameterOf: (other, name) => known("parameter", `${other}.${name}`, parameters.get(`${other}.${name}`)),
    buffer: (name) => known("buffer", name, pass.buffers[`${layer}.${name}`]),
    mask: (name, shape) => input(`${layer}.${name}`, shape, "uint8"),
    setBuffer: (name, value) => (replaced[`${layer}.${name}`] = value),
  };
}

interface Building {
  readonly scopeFor: (layer: string) => Scope;
  readonly onModule: Pass["onModule"];
}

function run(described: readonly LayerDescription[], first: Activations, building: Building, prefix: string): Activations {
  let x = first;
  for (const description of described) {
    const { layer, inner } = description;
    const name = `${prefix}${description.name}`;
    if (layer.kind === "residual") {
      x = residual(x, run(inner, x, building, `${name}.`));
    } else {
      x = (layers[layer.kind] as Apply<LayerKind>)(x, layer, building.scopeFor(name), description);
      building.onModule?.(name, [x.node]);
    }
  }
  return x;
}
