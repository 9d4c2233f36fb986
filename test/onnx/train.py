"""Trains networks with torch.optim.Adam on batches that it writes down: `python3 test/onnx/train.py FOLDER [--only NAME,NAME]`.

For each: NAME.onnx, as the older exporter writes it before training, and NAME.steps.npz with `x` and `y` of ten batches that take
turns, and the loss of every step.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from export import loss_of, old
from networks import networks

STEPS, BATCHES = 200, 10

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--only", default="cnn,resnet20,lstm,gpt")
parser.add_argument("--double", action="store_true")
given = parser.parse_args()
given.folder.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)
for name in given.only.split(","):
    torch.manual_seed(1)
    batches = [networks[name]()[1:] for _ in range(BATCHES)]
    model, x, _ = networks[name]()
    if given.double:
        model = model.double()
    number = torch.float64 if given.double else torch.float32
    batches = [(x.to(number) if x.is_floating_point() else x, y) for x, y in batches]
    with torch.no_grad():
        model(batches[0][0])  # Lazy layers take their shapes.
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    old(model, batches[0][0], given.folder / f"{name}.onnx")
    model.load_state_dict(weights)
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # Neither side drops values.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for step in range(STEPS):
        x, y = batches[step % BATCHES]
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    arrays = {"x": np.stack([x.numpy() for x, _ in batches]), "y": np.stack([y.numpy() for _, y in batches]), "loss": np.array(losses)}
    np.savez(given.folder / f"{name}.steps.npz", **arrays)
