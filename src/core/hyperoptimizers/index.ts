import type { OptimizerName } from "../../shared/optimizers.ts";
import { adaGrad } from "./adaGrad.ts";
import { adam } from "./adam.ts";
import { dAdaptAdam, dAdaptSgd } from "./dAdaptation.ts";
import { dog, lDog } from "./dog.ts";
import { dowg } from "./dowg.ts";
import { lamb } from "./lamb.ts";
import { lion } from "./lion.ts";
import { moMo, moMoAdam } from "./moMo.ts";
import { muon } from "./muon.ts";
import { nAdam } from "./nAdam.ts";
import { prodigy } from "./prodigy.ts";
import { rmsProp } from "./rmsProp.ts";
import { scheduleFreeAdam, scheduleFreeSgd } from "./scheduleFree.ts";
import { sgd } from "./sgd.ts";
import type { UpdateRule } from "./rule.ts";

export const updateRules: Readonly<Record<OptimizerName, UpdateRule>> = {
  sgd,
  adam,
  adaGrad,
  rmsProp,
  nAdam,
  lion,
  scheduleFreeSgd,
  scheduleFreeAdam,
  prodigy,
  dAdaptSgd,
  dAdaptAdam,
  dog,
  lDog,
  moMo,
  moMoAdam,
  muon,
  dowg,
  lamb,
};

export type { Hyperparameters, UpdateRule } from "./rule.ts";
