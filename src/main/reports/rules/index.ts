/** How each optimizer is written in each framework: a file each, and a line here. */
import { optimizerSpec, type OptimizerName } from "../../../shared/optimizers.ts";
import { levelOptions, type Settings } from "../../../shared/tower.ts";
import { ExportError } from "../errors.ts";
import { adaGrad } from "./adaGrad.ts";
import { adam } from "./adam.ts";
import { dAdaptAdam, dAdaptSgd, prodigy } from "./distance.ts";
import { dog, dowg, lDog } from "./dog.ts";
import { lamb } from "./lamb.ts";
import { lion } from "./lion.ts";
import { mechanized } from "./mechanic.ts";
import { moMo, moMoAdam } from "./moMo.ts";
import { muon } from "./muon.ts";
import { nAdam } from "./nAdam.ts";
import { rmsProp } from "./rmsProp.ts";
import { scheduleFreeAdam, scheduleFreeSgd } from "./scheduleFree.ts";
import { sgd } from "./sgd.ts";
import type { ExportRules, GroupRule, KerasRule, OptaxRule, PytorchRule, SettingsOf } from "./spec.ts";

const rules: { readonly [Name in OptimizerName]: ExportRules<SettingsOf<Name>> } = {
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

// The settings of an optimizer always come with its own rules.
const rulesOf = ({ optimizer }: Settings) => rules[optimizer] as unknown as ExportRules;

/** The rule under Mechanic; undefined where that is off. */
function underMechanic(settings: Settings): GroupRule | undefined {
  const { whole } = rulesOf(settings);
  return whole && levelOptions(settings).mechanic ? mechanized(whole(settings), settings) : undefined;
}

export function pytorchRule(settings: Settings, all: readonly Settings[] = [settings]): PytorchRule | GroupRule {
  // Their class has no part in that of the same optimizer without Mechanic.
  const alike = all.filter((other) => !levelOptions(other).mechanic);
  return underMechanic(settings) ?? rulesOf(settings).pytorch(settings, alike);
}

export const optaxRule = (settings: Settings): OptaxRule | GroupRule => underMechanic(settings) ?? rulesOf(settings).optax(settings);

/** @throws ExportError where the optimizer's descriptor refuses Keras; exportProblem() says why beforehand */
export function kerasRule(settings: Settings): KerasRule | GroupRule {
  const { keras } = rulesOf(settings);
  const mechanic = underMechanic(settings);
  if (mechanic) return mechanic;
  if (!keras) throw new ExportError(`${optimizerSpec(settings.optimizer).label} cannot be exported to Keras; CSV and JSON can hold it.`);
  return keras(settings);
}
