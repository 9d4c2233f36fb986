/** What a model's parameters are called: groups of the tower's first level go by these names. */
import type { Experiment } from "./experiment.ts";

/** In the model's own order, as PyTorch would name them: `layer1.weight`. */
export function parameterNames({ hidden }: Pick<Experiment["model"], "kind" | "hidden">): string[] {
  return Array.from({ length: hidden.length + 1 }, (_, i) => [`layer${i + 1}.weight`, `layer${i + 1}.bias`]).flat();
}
