/** Optimizers made for matrices: where they may stand. */
import { groupOf } from "./groups.ts";
import { optimizerNames, optimizerSpec, type OptimizerName } from "./optimizers.ts";
import type { Level } from "./tower.ts";

export interface ShapedParameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Whether an optimizer may stand on this level: hyperparameters are no matrices. */
export function fitsLevel(optimizer: OptimizerName, level: number): boolean {
  return level === 0 || !optimizerSpec(optimizer).forMatrices;
}

/** Optimizers for a level, in the order of the editor. */
export function optimizersFor(level: number): OptimizerName[] {
  return optimizerNames.filter((name) => fitsLevel(name, level));
}

export interface MatrixProblem {
  /** Path within the level, down to `optimizer`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Parts of level 0 whose optimizer is made for matrices, and which hold parameters but no matrix. */
export function matrixProblems(of: Level, parameters: readonly ShapedParameter[]): MatrixProblem[] {
  const parts = [{ settings: of, path: [] as (string | number)[], what: "the model has" }, ...of.groups.map((group, i) => ({ settings: group, path: ["groups", i], what: `group ${group.name} has` }))];
  return parts.flatMap(({ settings, path, what }) => {
    const { label, forMatrices } = optimizerSpec(settings.optimizer);
    if (!forMatrices || settings.frozen) return [];
    const held = parameters.filter(({ name }) => (groupOf(of.groups, name) ?? of) === settings);
    if (held.length === 0 || held.some(({ shape }) => shape.length === 2)) return [];
    const shapes = held.slice(0, 4).map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
    return [{ path: [...path, "optimizer"], message: `${label} is for matrices, but ${what} none (${shapes}${held.length > 4 ? ", …" : ""}); add a linear or recurrent layer, or choose another optimizer, such as nAdam` }];
  });
}
