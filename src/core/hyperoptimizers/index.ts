import type { OptimizerName } from "../../shared/optimizers.ts";
import { adam } from "./adam.ts";
import { adaGrad } from "./adaGrad.ts";
import { rmsProp } from "./rmsProp.ts";
import type { UpdateRule } from "./rule.ts";
import { sgd } from "./sgd.ts";

export const updateRules: Readonly<Record<OptimizerName, UpdateRule>> = { sgd, adam, adaGrad, rmsProp };

export type { Hyperparameters, UpdateRule } from "./rule.ts";
