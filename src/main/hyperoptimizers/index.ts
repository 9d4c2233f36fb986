import type { OptimizerName } from "../../shared/optimizers.ts";
import { adam, adamBaydin } from "./adam.ts";
import { adaGrad } from "./adaGrad.ts";
import { rmsProp, rmsPropAlpha } from "./rmsProp.ts";
import type { UpdateRule } from "./rule.ts";
import { sgd } from "./sgd.ts";

export const updateRules: Readonly<Record<OptimizerName, UpdateRule>> = { sgd, adam, adamBaydin, adaGrad, rmsProp, rmsPropAlpha };

export type { Hyperparameters, UpdateRule } from "./rule.ts";
