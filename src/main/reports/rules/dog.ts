/** DoG, LDoG and DoWG. */
import { float } from "../python.ts";
import { coupledDecay, inUse } from "./common.ts";
import type { ExportRules, GroupRule, SettingsOf } from "./spec.ts";

type Dog = SettingsOf<"dog"> | SettingsOf<"lDog">;

function rule(settings: Dog): GroupRule {
  const { averaging } = settings;
  const apart = settings.optimizer === "lDog";
  const slots = { start: "weight", ...(apart && ({ distance: "zero", squares: "zero" } as const)), ...(averaging !== null && ({ average: "weight" } as const)) } as const;
  const measured = (module: string, [weights, gradients, starts, kept]: readonly [string, string, string, string]) => [
    `first = h["first_move"] * (1 + ${module}.sqrt(dot(${weights}, ${weights})))`,
    `moves = ${starts}`,
    `distance = ${module}.where(count == 1, first, ${module}.maximum(${kept}["distance"], ${module}.sqrt(dot(moves, moves))))`,
    `squares = ${module}.where(count == 1, 1e-8, ${kept}["squares"]) + dot(${gradients}, ${gradients})`,
    `rate = h["lr"] * distance / ${module}.sqrt(squares)`,
  ];
  const averaged = averaging === null ? "" : ', "average": (1 - share) * s["average"] + share * new';
  const share = averaging === null ? [] : [`share = ${float(averaging + 1)} / (${float(averaging)} + count)`];
  return {
    name: apart ? "LDoG" : "DoG",
    options: ["averaging"],
    slots,
    ...(apart ? {} : { shared: { distance: "0.0", squares: "0.0" } }),
    ...(averaging !== null && { evaluated: "average" }),
    body: ({ module }) => [
      ...coupledDecay(settings),
      ...share,
      ...(apart ? [] : measured(module, ["weights", "gradients", '[w - s["start"] for w, s in zip(weights, slots)]', "shared"])),
      "moved, kept = [], []",
      "for w, g, s in zip(weights, gradients, slots):",
      ...(apart ? measured(module, ["[w]", "[g]", '[w - s["start"]]', "s"]).map((line) => `    ${line}`) : []),
      "    new = w - rate * g",
      "    moved.append(new)",
      `    kept.append({**s${apart ? ', "distance": distance, "squares": squares' : ""}${averaged}})`,
      apart ? "return moved, kept, shared" : 'return moved, kept, {"distance": distance, "squares": squares}',
    ],
  };
}

const averagedClass = (base: string, power: number) => (name: string) => `class ${name}(dog.${base}):
    """dog.${base} with the average of dog.PolynomialDecayAverager(gamma=${float(power)}): eval() puts it in place of the weights, train() takes it back."""

    def __init__(self, params, **values):
        super().__init__(params, **values)
        self.averages, self.count, self.training = {}, 0, True

    @torch.no_grad()
    def step(self, closure=None):
        loss = super().step(closure)
        self.count += 1
        for group in self.param_groups:
            for parameter in group["params"]:
                average = self.averages.setdefault(parameter, parameter.detach().clone())
                average.lerp_(parameter, ${float(power + 1)} / (${float(power)} + self.count))
        return loss

    @torch.no_grad()
    def train(self, training=True):
        if training != self.training:
            for parameter, average in self.averages.items():
                kept = parameter.clone()
                parameter.copy_(average)
                average.copy_(kept)
            self.training = training

    def eval(self):
        self.train(False)`;

const pytorch = (settings: Dog): ReturnType<ExportRules["pytorch"]> => {
  const base = settings.optimizer === "lDog" ? "LDoG" : "DoG";
  return {
    module: "dog",
    options: ["averaging"],
    ...(settings.averaging === null ? { maker: `dog.${base}` } : { maker: `Averaged${base}`, definition: averagedClass(base, settings.averaging), evaluates: true }),
    keywords: (v) => ({ lr: v("alpha"), reps_rel: v("firstMove"), weight_decay: v("weightDecay") }),
    scheduled: { weight_decay: ["weightDecay"] },
  };
};

export const dog: ExportRules<SettingsOf<"dog">> = {
  pytorch,
  optax: (settings) =>
    settings.averaging === null
      ? {
          maker: "dog",
          options: ["averaging"],
          definition: (name) => `def ${name}(learning_rate, reps_rel, weight_decay):
    return optax.contrib.dog(learning_rate, init_step=("heuristic", reps_rel), weight_decay=weight_decay)`,
          keywords: { alpha: "learning_rate", weightDecay: "weight_decay" },
          first: (v) => ({ reps_rel: v("firstMove") }),
        }
      : rule(settings),
  keras: rule,
};

export const lDog: ExportRules<SettingsOf<"lDog">> = { pytorch, optax: rule, keras: rule };

function dowgRule(settings: SettingsOf<"dowg">): GroupRule {
  return {
    name: "DoWG",
    slots: { start: "weight" },
    shared: { distance: 'h["d0"] ** 2', total: "0.0" },
    body: ({ module }) => [
      ...coupledDecay(settings),
      'moves = [w - s["start"] for w, s in zip(weights, slots)]',
      `distance = ${module}.maximum(shared["distance"], dot(moves, moves))`,
      'total = shared["total"] + distance * dot(gradients, gradients)',
      `rate = h["lr"] * distance / (${module}.sqrt(total) + h["eps"])`,
      'return [w - rate * g for w, g in zip(weights, gradients)], slots, {"distance": distance, "total": total}',
    ],
  };
}

export const dowg: ExportRules<SettingsOf<"dowg">> = {
  pytorch: dowgRule,
  optax: (settings) => ({
    maker: "optax.contrib.dowg",
    keywords: { alpha: "learning_rate", logEps: "eps", ...(inUse(settings) && { weightDecay: "weight_decay" }) },
    first: (v) => ({ init_estim_sq_dist: `${v("d0")} ** 2` }),
  }),
  keras: dowgRule,
};
