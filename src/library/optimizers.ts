/** Optimizers as nested constructors: `adam({ optimizer: sgd(1e-5) })` is Adam under SGD. */
import { fieldErrors, type FieldError } from "../shared/experiment.ts";
import { level, notation, tower, towerHints, type Level, type LevelInput } from "../shared/tower.ts";

/** An invalid optimizer: `fields` names each error and what is allowed. */
export class OptimizerError extends Error {
  override readonly name = "OptimizerError";
  readonly fields: readonly FieldError[];

  constructor(what: string, fields: readonly FieldError[]) {
    super(`${what}: ${fields.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ")}`);
    this.fields = fields;
  }
}

/** An optimizer with everything above it; immutable and reusable. */
export class Optimizer {
  /** The tower from here up: levels[0] moves the weights, levels[k + 1] the hyperparameters of level k. */
  readonly levels: readonly Level[];

  /** Used by the constructors below and stack(). */
  constructor(levels: readonly Level[]) {
    this.levels = levels;
    Object.freeze(this);
  }

  /** Warnings about valid but ineffective levels. Empty when there are none. */
  get hints(): string[] {
    return towerHints(this.levels);
  }

  /** In the paper's notation: `Adam / SGD(1e-5)`. */
  toString(): string {
    return notation(this.levels);
  }
}

type Name = LevelInput["optimizer"];

/**
 * Hyperparameters (the library's defaults if omitted), `learned`: those that the optimizer above
 * moves
 * (all by default), and `optimizer`: the optimizer above (none by default). `groups` gives parts
 * their
 * own settings, `freeze` keeps parts fixed.
 */
export type OptimizerOptions<N extends Name> = Omit<Extract<LevelInput, { optimizer: N }>, "optimizer"> & { readonly optimizer?: Optimizer };

/** @param options hyperparameters, or the step size alone; @throws OptimizerError */
type Constructor<N extends Name> = (options?: number | OptimizerOptions<N>) => Optimizer;

function constructorOf<N extends Name>(name: N): Constructor<N> {
  return (options) => {
    const given: { readonly optimizer?: Optimizer; readonly alpha?: number } = typeof options === "number" ? { alpha: options } : { ...options };
    const { optimizer: above, ...hyperparameters } = given;
    const parsed = level.safeParse({ ...hyperparameters, optimizer: name });
    if (!parsed.success) throw new OptimizerError(name, fieldErrors(parsed.error));
    if (above !== undefined && !(above instanceof Optimizer)) {
      const message = "must be an optimizer, such as sgd(1e-5)";
      throw new OptimizerError(name, [{ path: "optimizer", message }]);
    }
    return new Optimizer([parsed.data, ...(above?.levels ?? [])]);
  };
}

/**
 * Validates the levels as a complete tower: what an option allows may depend on the level.
 * @throws OptimizerError
 */
export function checkedTower(what: string, levels: readonly unknown[]): Level[] {
  const parsed = tower.safeParse(levels);
  if (!parsed.success) throw new OptimizerError(what, fieldErrors(parsed.error));
  return parsed.data;
}

/**
 * SGD with a step size for each parameter named in `alphas` and all others frozen, as the authors'
 * class:
 * `sgdPerParam({ alphas: { w: 0.1, b: 0.05 }, optimizer: sgd(0.02) })`.
 * @throws OptimizerError
 */
export const sgdPerParam: (options: OptimizerOptions<"sgdPerParam">) => Optimizer = constructorOf("sgdPerParam");
/** Stochastic gradient descent; with `mu` above 0, with momentum. */
export const sgd: Constructor<"sgd"> = constructorOf("sgd");
/** Adam (Kingma and Ba 2015). */
export const adam: Constructor<"adam"> = constructorOf("adam");
/** Adam with only the step size learned (Baydin et al. 2018). */
export const adamBaydin: Constructor<"adamBaydin"> = constructorOf("adamBaydin");
/** AdaGrad (Duchi et al. 2011). */
export const adaGrad: Constructor<"adaGrad"> = constructorOf("adaGrad");
/** RMSProp (Hinton 2012). */
export const rmsProp: Constructor<"rmsProp"> = constructorOf("rmsProp");
/** RMSProp with only the step size learned. */
export const rmsPropAlpha: Constructor<"rmsPropAlpha"> = constructorOf("rmsPropAlpha");
/** Adam with Nesterov momentum (Dozat 2016), as in PyTorch; with decoupled weight decay, NAdamW. */
export const nAdam: Constructor<"nAdam"> = constructorOf("nAdam");
/** Lion (Chen et al. 2023): moves by signs. */
export const lion: Constructor<"lion"> = constructorOf("lion");
/** Schedule-Free SGD (Defazio et al. 2024); evaluates an average. */
export const scheduleFreeSgd: Constructor<"scheduleFreeSgd"> = constructorOf("scheduleFreeSgd");
/** Schedule-Free AdamW (Defazio et al. 2024); evaluates an average. */
export const scheduleFreeAdam: Constructor<"scheduleFreeAdam"> = constructorOf("scheduleFreeAdam");
/** Prodigy (Mishchenko and Defazio 2023): Adam that estimates its step size. */
export const prodigy: Constructor<"prodigy"> = constructorOf("prodigy");
/** D-Adaptation for SGD (Defazio and Mishchenko 2023). */
export const dAdaptSgd: Constructor<"dAdaptSgd"> = constructorOf("dAdaptSgd");
/** D-Adaptation for Adam (Defazio and Mishchenko 2023). */
export const dAdaptAdam: Constructor<"dAdaptAdam"> = constructorOf("dAdaptAdam");
/** DoG (Ivgi et al. 2023): distance over gradients; evaluates an average unless `averaging` is null. */
export const dog: Constructor<"dog"> = constructorOf("dog");
/** LDoG (Ivgi et al. 2023): DoG for each array. */
export const lDog: Constructor<"lDog"> = constructorOf("lDog");
/** MoMo (Schaipp et al. 2024): momentum with a Polyak step size. */
export const moMo: Constructor<"moMo"> = constructorOf("moMo");
/** MoMo-Adam (Schaipp et al. 2024). */
export const moMoAdam: Constructor<"moMoAdam"> = constructorOf("moMoAdam");
/** Muon (Jordan et al. 2024): orthogonalized momentum for matrices, Adam for all other parameters; for the weights only. */
export const muon: Constructor<"muon"> = constructorOf("muon");
/** DoWG (Khaled et al. 2023): distance over weighted gradients. */
export const dowg: Constructor<"dowg"> = constructorOf("dowg");
/** LAMB (You et al. 2020): Adam with a trust ratio for each array. */
export const lamb: Constructor<"lamb"> = constructorOf("lamb");

/**
 * A tower from the levels of an experiment file, the weights' optimizer first:
 * `stack([{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }])`.
 * @throws OptimizerError
 */
export function stack(levels: readonly LevelInput[]): Optimizer {
  return new Optimizer(checkedTower("stack", levels));
}
