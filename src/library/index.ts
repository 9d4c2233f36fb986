/**
 * `import { ... } from "hypertower"`: towers of hyperoptimizers as a library, without the
 * workbench.
 * See docs/library.md for every function and README.md for the paper's example.
 */
export {
  adaGrad, adam, adamBaydin, dAdaptAdam, dAdaptSgd, dog, dowg, lamb, lDog, lion, moMo, moMoAdam, muon, nAdam, Optimizer, OptimizerError, prodigy, rmsProp, rmsPropAlpha,
  scheduleFreeAdam, scheduleFreeSgd, sgd, sgdPerParam, stack, type OptimizerOptions,
} from "./optimizers.ts";
export { constants, defineModel, kaimingUniform, mlp, uniform, zeros, type InputSpec, type MlpOptions, type Model, type ParameterSpec } from "./model.ts";
export { meanSquaredError, nll, type Loss, type LossFunction, type Metric } from "./losses.ts";
export { batches, loadMnist, type Dataset, type Examples } from "./data.ts";
export { loadArrays, loadCsv, type ArraysOptions, type CsvOptions, type OwnDataset, type SplitOptions } from "./tables.ts";
export { charRnn, loadText, textOf, type CharRnn, type CharRnnOptions, type Text, type TextEvaluation, type TextOptions, type WriteOptions } from "./text.ts";
export { optimize, type OptimizeOptions } from "./optimize.ts";
export { DivergenceError, type Evaluation, type Prediction, type StepResult, type Training } from "./training.ts";
export type { Batch, BatchArray, NumberArray, Scaled, StepBatch } from "./batch.ts";
export { loadWeights, type LoadedWeights } from "./weights.ts";
export type { Snapshot } from "./snapshot.ts";
export type { DType, Node, Shape } from "../core/program/node.ts";
export * as ops from "./ops.ts";
