"""The references of optimizerCases.ts: answers one JSON line per request line.

{"batches": FILE, "count": n, "size": n, "hidden": n} reads byte images of 784 pixels, then byte labels;
{"load": CASE} answers {"settings": [NAME, ...]}, or {"problem": TEXT} where a package is missing;
{"case": CASE, "setting": i, "threads": n, "steps": n} answers {"ms": milliseconds per step}.

Images are floats already, which saves the reference a conversion that the workbench makes in every step.
"""
import json
import os
import sys
import time
import warnings

if os.environ.get("OMP_NUM_THREADS") == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.simplefilter("ignore")

import numpy as np
import torch
import torch.nn.functional as F

images, labels, hidden = None, None, 128


class Trainer:
    """A network with an optimizer, one batch a step."""

    def __init__(self, optimizers, after=None):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(784, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 10), torch.nn.Tanh())
        self.optimizers = optimizers(self.model)
        self.after = after(self.model) if after else None
        self.polyak = any(type(one).__module__.startswith("momo") for one in self.optimizers)
        self.x = [torch.from_numpy(x) for x in images]
        self.y = [torch.from_numpy(y) for y in labels]
        for one in self.optimizers:
            if hasattr(one, "train"):
                one.train()
        self.at = 0

    def step(self):
        i = self.at = (self.at + 1) % len(self.x)
        for one in self.optimizers:
            one.zero_grad()
        loss = F.nll_loss(F.log_softmax(self.model(self.x[i]), dim=1), self.y[i])
        loss.backward()
        for one in self.optimizers:
            if self.polyak:
                one.step(loss=loss)
            else:
                one.step()
        if self.after:
            self.after.step()

    def finish(self):
        pass


class JaxTrainer:
    """The same in JAX, compiled as one function."""

    def __init__(self, transform):
        import jax
        import jax.numpy as jnp
        import optax

        random = np.random.default_rng(0)
        layer = lambda into, out: (random.uniform(-1, 1, (into, out)) / into**0.5, random.uniform(-1, 1, out) / into**0.5)
        self.parameters = jax.tree_util.tree_map(lambda a: jnp.asarray(a, jnp.float32), [layer(784, hidden), layer(hidden, 10)])
        optimizer = transform(optax)
        # Copied: a buffer can be donated once, and a state may begin as the parameters themselves.
        self.state = jax.tree_util.tree_map(jnp.copy, optimizer.init(self.parameters))

        def loss(parameters, x, y):
            for w, b in parameters:
                x = jnp.tanh(x @ w + b)
            return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()

        def update(parameters, state, x, y):
            value, gradients = jax.value_and_grad(loss)(parameters, x, y)
            updates, state = optimizer.update(gradients, state, parameters)
            return optax.apply_updates(parameters, updates), state, value

        self.update = jax.jit(update, donate_argnums=(0, 1))
        self.batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in zip(images, labels)]
        self.at = 0

    def step(self):
        self.at = (self.at + 1) % len(self.batches)
        self.parameters, self.state, self.value = self.update(self.parameters, self.state, *self.batches[self.at])

    def finish(self):
        self.value.block_until_ready()


def torch_settings(make, *names):
    """One setting for each way in which PyTorch can run an optimizer: the fastest counts."""
    return {name: lambda kind=name: Trainer(lambda model: [make(model.parameters(), **({"foreach": False} if kind == "loop" else {kind: True}))]) for name in names}


def plain(make, after=None):
    return {"": lambda: Trainer(lambda model: [make(model.parameters())], after)}


def schedule_free(name, **options):
    import schedulefree

    return {kind: lambda foreach=kind == "foreach": Trainer(lambda model: [getattr(schedulefree, name)(model.parameters(), foreach=foreach, **options)]) for kind in ("foreach", "loop")}


def imported(name):
    return __import__(name, fromlist=["*"])


def dog(name):
    package = imported("dog")
    return plain(lambda p: getattr(package, name)(p, reps_rel=1e-6), lambda model: package.PolynomialDecayAverager(model, gamma=8))


def mechanic(base, **options):
    make = imported("mechanic_pytorch").mechanize(base, store_delta=True)
    return torch_settings(lambda p, **kind: make(p, lr=1.0, **options, **kind), "loop", "foreach", "fused")


def muon():
    def optimizers(model):
        matrices = [p for p in model.parameters() if p.ndim == 2]
        others = [p for p in model.parameters() if p.ndim != 2]
        return [torch.optim.Muon(matrices, lr=0.02, weight_decay=0.0), torch.optim.AdamW(others, lr=0.02, weight_decay=0.0, fused=True)]

    return {"": lambda: Trainer(optimizers)}


optim = torch.optim
every = ("loop", "foreach", "fused")
CASES = {
    "sgd": lambda: torch_settings(lambda p, **o: optim.SGD(p, lr=0.01, **o), *every),
    "momentum": lambda: torch_settings(lambda p, **o: optim.SGD(p, lr=0.01, momentum=0.9, **o), *every),
    "adam": lambda: torch_settings(lambda p, **o: optim.Adam(p, lr=1e-3, **o), *every),
    "adamW": lambda: torch_settings(lambda p, **o: optim.AdamW(p, lr=1e-3, weight_decay=0.01, **o), *every),
    "adaGrad": lambda: torch_settings(lambda p, **o: optim.Adagrad(p, lr=0.01, **o), *every),
    "rmsProp": lambda: torch_settings(lambda p, **o: optim.RMSprop(p, lr=1e-3, **o), "loop", "foreach"),
    "nAdamW": lambda: torch_settings(lambda p, **o: optim.NAdam(p, lr=2e-3, weight_decay=0.01, decoupled_weight_decay=True, **o), "loop", "foreach"),
    "muon": muon,
    "lion": lambda: plain(lambda p: imported("lion_pytorch").Lion(p, lr=1e-4)),
    "scheduleFreeSgd": lambda: schedule_free("SGDScheduleFree", lr=0.1),
    "scheduleFreeAdam": lambda: schedule_free("AdamWScheduleFree", lr=0.0025),
    "prodigy": lambda: plain(lambda p: imported("prodigyopt").Prodigy(p)),
    "dAdaptSgd": lambda: plain(lambda p: imported("dadaptation").DAdaptSGD(p)),
    "dAdaptAdam": lambda: plain(lambda p: imported("dadaptation").DAdaptAdam(p)),
    "dog": lambda: dog("DoG"),
    "lDog": lambda: dog("LDoG"),
    "moMo": lambda: plain(lambda p: imported("momo").Momo(p, lr=0.1)),
    "moMoAdam": lambda: plain(lambda p: imported("momo").MomoAdam(p, lr=0.01)),
    "mechanicSgd": lambda: mechanic(optim.SGD),
    "mechanicAdam": lambda: mechanic(optim.Adam),
    "dowg": lambda: imported("optax") and {"jit": lambda: JaxTrainer(lambda optax: imported("optax.contrib").dowg(1.0))},
    "lamb": lambda: imported("optax") and {"jit": lambda: JaxTrainer(lambda optax: optax.lamb(1e-3))},
}

loaded = {}


def load(name):
    try:
        settings = {setting: make() for setting, make in CASES[name]().items()}
    except ImportError as error:
        return {"problem": str(error)}
    loaded[name] = list(settings.values())
    return {"settings": list(settings)}


def read(request):
    global images, labels, hidden
    hidden, size, count = request["hidden"], request["size"], request["count"]
    data = np.fromfile(request["batches"], dtype=np.uint8)
    pixels = size * 784 * count
    images = np.ascontiguousarray(data[:pixels].reshape(count, size, 784).astype(np.float32) / 255)
    labels = np.ascontiguousarray(data[pixels:].reshape(count, size).astype(np.int64))
    return {}


def timed(request):
    trainer = loaded[request["case"]][request["setting"]]
    torch.set_num_threads(request["threads"])
    for _ in range(3):
        trainer.step()
    trainer.finish()
    start = time.perf_counter()
    for _ in range(request["steps"]):
        trainer.step()
    trainer.finish()
    return {"ms": (time.perf_counter() - start) / request["steps"] * 1e3}


print(json.dumps({"torch": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    answer = read(request) if "batches" in request else load(request["load"]) if "load" in request else timed(request)
    print(json.dumps(answer), flush=True)
