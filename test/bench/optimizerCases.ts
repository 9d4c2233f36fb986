/** The optimizers that `npm run bench:optimizers` times; optimizers_peer.py has the reference of each under the same name. */
import type { LevelInput } from "../../src/shared/tower.ts";

export interface OptimizerCase {
  readonly title: string;
  readonly level: LevelInput;
  /** What it is compared with. */
  readonly reference: string;
  /** PyPI packages of the reference besides torch. */
  readonly packages?: string;
}

const pytorch = { convention: "pytorch" } as const;

export const optimizerCases: Readonly<Record<string, OptimizerCase>> = {
  sgd: { title: "SGD", level: { optimizer: "sgd" }, reference: "torch.optim.SGD" },
  momentum: { title: "SGD, momentum", level: { optimizer: "sgd", mu: 0.9 }, reference: "torch.optim.SGD" },
  adam: { title: "Adam", level: { optimizer: "adam", ...pytorch }, reference: "torch.optim.Adam" },
  adamW: { title: "AdamW", level: { optimizer: "adam", weightDecay: 0.01, ...pytorch }, reference: "torch.optim.AdamW" },
  adaGrad: { title: "AdaGrad", level: { optimizer: "adaGrad", ...pytorch }, reference: "torch.optim.Adagrad" },
  rmsProp: { title: "RMSProp", level: { optimizer: "rmsProp", alpha: 1e-3, ...pytorch }, reference: "torch.optim.RMSprop" },
  nAdamW: { title: "NAdamW", level: { optimizer: "nAdam", weightDecay: 0.01 }, reference: "torch.optim.NAdam" },
  muon: { title: "Muon", level: { optimizer: "muon" }, reference: "torch.optim.Muon, AdamW" },
  lion: { title: "Lion", level: { optimizer: "lion" }, reference: "lion_pytorch", packages: "lion-pytorch==0.2.5" },
  scheduleFreeSgd: { title: "Schedule-Free SGD", level: { optimizer: "scheduleFreeSgd", alpha: 0.1 }, reference: "schedulefree", packages: "schedulefree==1.4.1" },
  scheduleFreeAdam: { title: "Schedule-Free AdamW", level: { optimizer: "scheduleFreeAdam" }, reference: "schedulefree", packages: "schedulefree==1.4.1" },
  prodigy: { title: "Prodigy", level: { optimizer: "prodigy" }, reference: "prodigyopt", packages: "prodigyopt==1.1.2" },
  dAdaptSgd: { title: "D-Adaptation SGD", level: { optimizer: "dAdaptSgd" }, reference: "dadaptation", packages: "dadaptation==3.2" },
  dAdaptAdam: { title: "D-Adaptation Adam", level: { optimizer: "dAdaptAdam" }, reference: "dadaptation", packages: "dadaptation==3.2" },
  dog: { title: "DoG, averaged", level: { optimizer: "dog" }, reference: "dog", packages: "dog-optimizer==1.0.3" },
  lDog: { title: "LDoG, averaged", level: { optimizer: "lDog" }, reference: "dog", packages: "dog-optimizer==1.0.3" },
  moMo: { title: "MoMo", level: { optimizer: "moMo", alpha: 0.1 }, reference: "momo", packages: "momo-opt==0.1.0" },
  moMoAdam: { title: "MoMo-Adam", level: { optimizer: "moMoAdam" }, reference: "momo", packages: "momo-opt==0.1.0" },
  mechanicSgd: { title: "Mechanic SGD", level: { optimizer: "sgd", alpha: 1, mechanic: true }, reference: "mechanic_pytorch", packages: "mechanic-pytorch==0.0.1" },
  mechanicAdam: { title: "Mechanic Adam", level: { optimizer: "adam", alpha: 1, mechanic: true, ...pytorch }, reference: "mechanic_pytorch", packages: "mechanic-pytorch==0.0.1" },
  dowg: { title: "DoWG", level: { optimizer: "dowg" }, reference: "optax.contrib", packages: "optax==0.2.8" },
  lamb: { title: "LAMB", level: { optimizer: "lamb" }, reference: "optax", packages: "optax==0.2.8" },
};
