"""Records traces of reference optimizers for replay: 50 steps in float64 on the problem `mlp`.

    python test/golden/record.py --out test/golden/traces/methods_options_f64.json
    python test/golden/record.py --check test/golden/traces/methods_f64.json

The first records the cases listed below, the second repeats the cases of a file and prints how far
each differs. `--only NAME ...` limits either to some cases.

Needs: pip install numpy torch==2.15.0 optax==0.2.8 schedulefree==1.4.1 prodigyopt==1.1.2 dadaptation==3.2
dog-optimizer==1.0.3 lion-pytorch==0.2.5 momo-opt==0.1.0 mechanic-pytorch==0.0.1
Only the packages of the recorded cases are imported; their versions are written into the file.
"""

import argparse
import importlib
import importlib.metadata
import json
import pathlib
import re
import sys

STEPS = 50
DOC = (
    "Reference optimizers on the problem mlp of problems.json, float64, one thread, the same batch at every step, "
    "recorded by record.py. loss[t]: at the training weights before step t. finalLoss, finalParams: after the last "
    "step. evalLoss, evalParams: at the weights the method evaluates with (averages), where they differ."
)

# (name, reference, settings). Settings are arguments of the reference, under its names. Large step sizes are
# avoided where a change of one weight in its last bit would grow beyond 1e-9 within the reference itself.
CASES = [
    ("sgd_momentum_l2", "torch.optim.SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    ("adamw_amsgrad", "torch.optim.AdamW", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("nadam_l2", "torch.optim.NAdam", {"lr": 0.01, "weight_decay": 0.1}),
    ("nadamw_options", "torch.optim.NAdam", {"lr": 0.01, "betas": [0.8, 0.99], "eps": 1e-6, "weight_decay": 0.1, "momentum_decay": 0.02, "decoupled_weight_decay": True}),
    ("lion_decay", "lion_pytorch.Lion", {"lr": 0.001, "betas": [0.8, 0.95], "weight_decay": 0.1}),
    ("schedulefree_sgd_decay", "schedulefree.SGDScheduleFree", {"lr": 0.3, "momentum": 0.8, "weight_decay": 0.1}),
    ("schedulefree_adamw_decay", "schedulefree.AdamWScheduleFree", {"lr": 0.01, "betas": [0.95, 0.99], "weight_decay": 0.1}),
    ("prodigy_decoupled", "prodigyopt.Prodigy", {"lr": 1.0, "d0": 1e-4, "weight_decay": 0.1, "decouple": True}),
    ("prodigy_l2", "prodigyopt.Prodigy", {"lr": 0.5, "d0": 1e-4, "weight_decay": 0.1, "decouple": False}),
    ("prodigy_bias_growth", "prodigyopt.Prodigy", {"lr": 1.0, "d0": 1e-3, "betas": [0.8, 0.99], "use_bias_correction": True, "growth_rate": 1.1}),
    ("dadapt_sgd_options", "dadaptation.DAdaptSGD", {"lr": 0.5, "d0": 1e-3, "momentum": 0.9, "weight_decay": 0.1, "growth_rate": 1.1}),
    ("dadapt_adam_decoupled", "dadaptation.DAdaptAdam", {"lr": 1.0, "d0": 1e-4, "weight_decay": 0.1, "decouple": True}),
    ("dadapt_adam_l2", "dadaptation.DAdaptAdam", {"lr": 0.1, "d0": 1e-4, "weight_decay": 0.1, "decouple": False}),
    ("dadapt_adam_bias_growth", "dadaptation.DAdaptAdam", {"lr": 1.0, "d0": 1e-3, "betas": [0.8, 0.99], "use_bias_correction": True, "growth_rate": 1.1}),
    ("dog_decay", "dog.DoG with PolynomialDecayAverager(gamma=8)", {"reps_rel": 1e-4, "lr": 0.5, "weight_decay": 0.1}),
    ("ldog_decay", "dog.LDoG with PolynomialDecayAverager(gamma=4)", {"reps_rel": 1e-3, "weight_decay": 0.1}),
    ("dowg", "optax.contrib.dowg", {"learning_rate": 0.3}),
    ("dowg_options", "optax.contrib.dowg", {"learning_rate": 0.5, "init_estim_sq_dist": 1e-3, "eps": 1e-6, "weight_decay": 0.1}),
    ("momo_decay", "momo.Momo", {"lr": 0.3, "beta": 0.8, "lb": 0.1, "weight_decay": 0.1}),
    ("momo_adam_decay", "momo.MomoAdam", {"lr": 0.01, "betas": [0.8, 0.99], "lb": 0.1, "weight_decay": 0.1}),
    ("muon_options", "optax.contrib.muon", {"learning_rate": 0.02, "beta": 0.9, "ns_steps": 3, "nesterov": False, "weight_decay": 0.1, "adam_b1": 0.8, "adam_b2": 0.99, "adam_learning_rate": 0.01, "adam_weight_decay": 0.2}),
    ("muon_consistent_rms", "optax.contrib.muon", {"learning_rate": 0.02, "consistent_rms": 0.2}),
    ("lamb", "optax.lamb", {"learning_rate": 0.01}),
    ("lamb_decay", "optax.lamb", {"learning_rate": 0.01, "b1": 0.8, "b2": 0.99, "eps": 1e-8, "weight_decay": 0.1}),
    # What Mechanic and the optimizer that it tunes both have begins with base_ for the optimizer.
    ("mechanic_sgd_options", "mechanize(torch.optim.SGD)", {"s_init": 1e-4, "s_decay": 0.1, "betas": [0.5, 0.9, 0.99], "eps": 1e-6, "store_delta": True, "lr": 0.5, "momentum": 0.9, "weight_decay": 0.01}),
    ("mechanic_adamw_stored", "mechanize(torch.optim.AdamW)", {"s_init": 1e-5, "store_delta": True, "lr": 0.1, "weight_decay": 0.1, "base_betas": [0.8, 0.99], "base_eps": 1e-6}),
    ("mechanic_adam_one_decay", "mechanize(torch.optim.Adam)", {"s_init": 1e-6, "s_decay": 0.0, "betas": [0.99], "lr": 0.1, "weight_decay": 0.1}),
    ("mechanic_nadam", "mechanize(torch.optim.NAdam)", {"s_init": 1e-6, "lr": 0.5}),
    ("mechanic_lion", "mechanize(lion_pytorch.Lion)", {"s_init": 1e-5, "store_delta": True, "lr": 0.01, "weight_decay": 0.1}),
    ("mechanic_adagrad", "mechanize(torch.optim.Adagrad)", {"s_init": 1e-6, "lr": 1.0}),
]

# Arguments that the recorded cases of a reference had without saying so.
UNSAID = {"mechanize(torch.optim.AdamW)": {"weight_decay": 0}}

PACKAGES = {
    "torch": "torch", "optax": "optax", "schedulefree": "schedulefree", "prodigyopt": "prodigyopt", "dadaptation": "dadaptation",
    "dog": "dog-optimizer", "lion_pytorch": "lion-pytorch", "momo": "momo-opt", "mechanize": "mechanic-pytorch",
}


class Torch:
    """The problem and its steps in PyTorch."""

    def __init__(self, problem, reference, settings):
        import torch

        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        self.torch, self.problem = torch, problem
        self.parameters = [torch.tensor(problem["initialParams"][name], requires_grad=True) for name in problem["paramOrder"]]
        self.x, self.y = torch.tensor(problem["x"]), torch.tensor(problem["y"])
        settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        wrapped = re.fullmatch(r"mechanize\((.+)\)", reference)
        if wrapped:
            own = {name: settings.pop(name) for name in ("s_init", "s_decay", "betas", "eps", "store_delta") if name in settings}
            base_options = {name.removeprefix("base_"): settings.pop(name) for name in list(settings) if name.startswith("base_")}
            base = named(wrapped[1])
            self.optimizer = importlib.import_module("mechanic_pytorch").mechanize(base, **own)(self.parameters, **settings, **base_options)
        else:
            call = re.match(r"([\w.]+)(?:\((.*?)\))?", reference)
            further = dict(part.split("=") for part in call[2].split(", ")) if call[2] else {}
            self.optimizer = named(call[1])(self.parameters, **settings, **{name: value == "True" for name, value in further.items()})
        self.module = call[1].split(".")[0] if not wrapped else "mechanize"
        self.averager = None
        average = re.search(r"PolynomialDecayAverager\(gamma=([\d.]+)\)", reference)
        if average:
            self.model = torch.nn.ParameterList(self.parameters)
            self.optimizer = named(call[1])(self.model.parameters(), **settings)
            self.parameters = list(self.model)
            self.averager = importlib.import_module("dog").PolynomialDecayAverager(self.model, gamma=float(average[1]))
        if self.module == "schedulefree":
            self.optimizer.train()

    def loss(self, parameters=None):
        w1, b1, w2, b2 = parameters or self.parameters
        output = self.torch.tanh(self.x @ w1.T + b1) @ w2.T + b2
        if self.problem["outputTanh"]:
            output = self.torch.tanh(output)
        return self.torch.nn.functional.cross_entropy(output, self.y)

    def step(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        if self.module == "momo":
            self.optimizer.step(loss=loss)
        else:
            self.optimizer.step()
        if self.averager:
            self.averager.step()
        return loss.item()

    def final(self):
        return self.loss().item(), [p.tolist() for p in self.parameters]

    def evaluated(self):
        """Loss and weights that the method evaluates with; None where they are the final ones."""
        if self.averager:
            averages = list(self.averager.averaged_model)
            return self.loss(averages).item(), [p.tolist() for p in averages]
        if self.module == "schedulefree":
            self.optimizer.eval()
            return self.final()
        return None


class Optax:
    """The problem and its steps in JAX."""

    def __init__(self, problem, reference, settings):
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        self.jnp, self.problem = jnp, problem
        self.parameters = {name: jnp.asarray(problem["initialParams"][name], dtype=jnp.float64) for name in problem["paramOrder"]}
        self.x, self.y = jnp.asarray(problem["x"], dtype=jnp.float64), jnp.asarray(problem["y"])
        self.optimizer = named(re.match(r"[\w.]+", reference)[0])(**settings)
        self.state = self.optimizer.init(self.parameters)
        self.value_and_grad = jax.value_and_grad(self.loss)
        self.apply = importlib.import_module("optax").apply_updates

    def loss(self, parameters):
        jnp = self.jnp
        w1, b1, w2, b2 = (parameters[name] for name in self.problem["paramOrder"])
        output = jnp.tanh(self.x @ w1.T + b1) @ w2.T + b2
        if self.problem["outputTanh"]:
            output = jnp.tanh(output)
        log_softmax = output - jnp.log(jnp.exp(output).sum(axis=1, keepdims=True))
        return -log_softmax[jnp.arange(len(self.y)), self.y].mean()

    def step(self):
        loss, gradients = self.value_and_grad(self.parameters)
        updates, self.state = self.optimizer.update(gradients, self.state, self.parameters)
        self.parameters = self.apply(self.parameters, updates)
        return float(loss)

    def final(self):
        return float(self.loss(self.parameters)), [self.parameters[name].tolist() for name in self.problem["paramOrder"]]

    def evaluated(self):
        return None


def named(path):
    """The object at a dotted path; packages are imported as far as the path goes."""
    parts = path.split(".")
    found = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:i]))
        found = getattr(found, part)
    return found


def record(problem, name, reference, settings, steps=STEPS):
    package = PACKAGES[re.match(r"\w+", reference)[0]]
    run = (Optax if package == "optax" else Torch)(problem, reference, UNSAID.get(reference, {}) | settings)
    loss = [run.step() for _ in range(steps)]
    final_loss, final = run.final()
    order = problem["paramOrder"]
    case = {"name": name, "package": package, "version": importlib.metadata.version(package).split("+")[0], "reference": reference, "settings": settings, "steps": steps}
    case |= {"loss": loss, "finalLoss": final_loss, "finalParams": dict(zip(order, final))}
    evaluated = run.evaluated()
    if evaluated:
        case |= {"evalLoss": evaluated[0], "evalParams": dict(zip(order, evaluated[1]))}
    return case


def numbers(value):
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers(part)]
    return [n for part in value for n in numbers(part)] if isinstance(value, list) else [value]


def difference(ours, theirs):
    """Largest difference of losses and weights, relative to the largest magnitude of each."""
    worst = 0.0
    for key in ("loss", "finalLoss", "finalParams", "evalLoss", "evalParams"):
        if key not in theirs:
            continue
        if key not in ours:
            return float("inf")
        a, b = numbers(ours[key]), numbers(theirs[key])
        worst = max(worst, max(abs(x - y) for x, y in zip(a, b, strict=True)) / max(abs(y) for y in b))
    return worst


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="file to write the listed cases to")
    parser.add_argument("--check", type=pathlib.Path, help="file whose cases to repeat and compare")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names of cases")
    parser.add_argument("--problems", type=pathlib.Path, default=here / "traces" / "problems.json")
    arguments = parser.parse_args()
    if (arguments.out is None) == (arguments.check is None):
        parser.error("give either --out or --check")
    problem = json.loads(arguments.problems.read_text())["mlp"]
    if arguments.check:
        recorded = json.loads(arguments.check.read_text())["cases"]
        known = {case["name"] for case in recorded}
    else:
        known = {name for name, _, _ in CASES}
    unknown = sorted(set(arguments.only or []) - known)
    if unknown:
        parser.error(f"no case is named {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    chosen = lambda name: not arguments.only or name in arguments.only

    if arguments.check:
        failed = False
        for case in recorded:
            if not chosen(case["name"]):
                continue
            if "lr" in case:
                print(f"skipped {case['name']}: schedules are not recorded here")
                continue
            again = record(problem, case["name"], case["reference"], case["settings"], case["steps"])
            apart = difference(again, case)
            failed = failed or not apart <= 1e-9
            print(f"{'ok  ' if apart <= 1e-9 else 'FAIL'} {case['name']:28} {apart:.1e}")
        return 1 if failed else 0

    cases = []
    for name, reference, settings in CASES:
        if chosen(name):
            cases.append(record(problem, name, reference, settings))
            print(f"{name:28} {cases[-1]['loss'][0]:.6f} -> {cases[-1]['finalLoss']:.6f}")
    arguments.out.write_text(json.dumps({"doc": DOC, "problem": "mlp", "dtype": "float64", "cases": cases}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
