"""Trains exported optimizers on given batches; reads {framework, batches, runs} and prints the losses of each run, for final and scheduled code.

The model is layer2(tanh(layer1(x))) with a tanh at its end and the mean cross-entropy, all in float32.
"""
import contextlib
import json
import sys
import traceback
import types

import numpy as np


def load(code):
    module = types.ModuleType("exported")
    sys.modules["exported"] = module
    exec(code, module.__dict__)
    return module


def with_torch(run, features, labels):
    import torch

    torch.manual_seed(0)
    xs, ys = torch.tensor(features), torch.tensor(labels)
    model = torch.nn.Module()
    model.layer1, model.layer2 = torch.nn.Linear(xs.shape[2], len(run["weights"]["layer1.bias"])), torch.nn.Linear(len(run["weights"]["layer1.bias"]), 4)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(run["weights"][name], dtype=torch.float32).reshape(parameter.shape))
    parameters = model.named_parameters() if run["grouped"] else model.parameters()
    optimizer, scheduler = load(run["code"]).scheduled_optimizer(parameters)
    takes_loss = "optimizer.step(loss=loss)" in run["code"]
    loss_of = lambda x, y: torch.nn.functional.cross_entropy(torch.tanh(model.layer2(torch.tanh(model.layer1(x)))), y)
    losses = []
    for x, y in zip(xs, ys):
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step(**({"loss": loss} if takes_loss else {}))
        scheduler.step()
        losses.append(loss.item())
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return losses + [loss_of(xs[0], ys[0]).item()]


def initial(run, inputs):
    hidden = len(run["weights"]["layer1.bias"])
    shapes = {"layer1.weight": (hidden, inputs), "layer1.bias": (hidden,), "layer2.weight": (4, hidden), "layer2.bias": (4,)}
    return {name: np.array(values, dtype=np.float32).reshape(shapes[name]) for name, values in run["weights"].items()}


def with_optax(run, features, labels):
    import jax
    import jax.numpy as jnp
    import optax

    params = {}
    for name, value in initial(run, features.shape[2]).items():
        layer, which = name.split(".")
        params.setdefault(layer, {})[which] = jnp.asarray(value)

    def loss_of(params, x, y):
        h = jnp.tanh(x @ params["layer1"]["weight"].T + params["layer1"]["bias"])
        z = jnp.tanh(h @ params["layer2"]["weight"].T + params["layer2"]["bias"])
        return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()

    exported = load(run["code"])
    optimizer = exported.scheduled_optimizer()
    state = optimizer.init(params)
    takes_loss = "value=loss" in run["code"]

    @jax.jit
    def step(params, state, x, y):
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        updates, state = optimizer.update(gradients, state, params, **({"value": loss} if takes_loss else {}))
        return optax.apply_updates(params, updates), state, loss

    losses = []
    for x, y in zip(features, labels):
        params, state, loss = step(params, state, x, y)
        losses.append(float(loss))
    if hasattr(exported, "evaluation_params"):
        params = exported.evaluation_params(state, params)
    return losses + [float(loss_of(params, features[0], labels[0]))]


def with_keras(run, features, labels):
    import keras

    start = initial(run, features.shape[2])
    hidden = start["layer1.bias"].shape[0]
    model = keras.Sequential([keras.Input((features.shape[2],)), keras.layers.Dense(hidden, activation="tanh", name="layer1"), keras.layers.Dense(4, activation="tanh", name="layer2")])
    model.set_weights([start["layer1.weight"].T, start["layer1.bias"], start["layer2.weight"].T, start["layer2.bias"]])
    optimizer = load(run["code"]).scheduled_optimizer()
    type(optimizer).from_config(optimizer.get_config())
    model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = [float(model.train_on_batch(x, y)) for x, y in zip(features, labels)]
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return losses + [float(model.test_on_batch(features[0], labels[0]))]


def main():
    given = json.load(sys.stdin)
    train = {"pytorch": with_torch, "optax": with_optax, "keras": with_keras}[given["framework"]]
    features = np.array(given["batches"]["features"], dtype=np.float32) / np.float32(255)
    labels = np.array(given["batches"]["labels"], dtype=np.int64)
    features = features.reshape(*labels.shape, -1)
    answers = {}
    for run in given["runs"]:
        try:
            # Some packages print.
            with contextlib.redirect_stdout(sys.stderr):
                answers[run["name"]] = train(run, features, labels)
        except Exception as error:
            answers[run["name"]] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
    print(json.dumps(answers))


main()
