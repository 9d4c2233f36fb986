/** Parameters that two layers share. PyTorch's state dict has such an array under the names of both. */
import { describeModel, flatLayers } from "./architecture.ts";
import type { ModelConfig } from "./schema.ts";
import type { DataShape } from "./shape.ts";

/** The model's own name of each array, by the other names. @throws ModelError */
export function tiedNames(model: ModelConfig, data: DataShape): Record<string, string> {
  if (model.kind === "graph") return model.facts?.tied ?? {};
  return Object.fromEntries(
    flatLayers(describeModel(model, data)).flatMap(({ name, layer }) => (layer.kind === "linear" && layer.tied !== undefined ? [[`${name}.weight`, `${layer.tied}.weight`] as const] : [])),
  );
}
