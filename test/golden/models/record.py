"""Records what PyTorch makes of small models at given weights: `python3 record.py` writes the JSON files beside it,
`python3 record.py NAME ..` only some.

Everything is float64 on one thread. Of each model: configuration, weights, inputs, and for every batch
the loss and its gradients, with what the batch leaves in the buffers; images also the scores in evaluation.
"""
import json
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
folder = os.path.dirname(os.path.abspath(__file__))


class Block(nn.Module):
    """He et al. 2016 for CIFAR, shortcut of option A."""

    def __init__(self, into, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.pad = stride, (channels - into) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = x[:, :, :: self.stride, :: self.stride]
        return F.relu(y + F.pad(short, (0, 0, 0, 0, self.pad, self.pad)))


class ResNet(nn.Module):
    def __init__(self, channels, width, blocks, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        into = width
        for stage in (1, 2, 3):
            layers = []
            for i in range(blocks):
                out = width * 2 ** (stage - 1)
                layers.append(Block(into, out, 2 if stage > 1 and i == 0 else 1))
                into = out
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.fc = nn.Linear(into, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


class Cnn(nn.Module):
    def __init__(self, channels, outs, kernel, hidden, size, classes):
        super().__init__()
        for i, (into, out) in enumerate(zip([channels, *outs], outs)):
            setattr(self, f"conv{i + 1}", nn.Conv2d(into, out, kernel, padding=kernel // 2))
            size //= 2
        self.count = len(outs)
        self.fc1 = nn.Linear(outs[-1] * size * size, hidden)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        for i in range(self.count):
            x = F.max_pool2d(F.relu(getattr(self, f"conv{i + 1}")(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class CharRnn(nn.Module):
    def __init__(self, cell, vocabulary, hidden, layers, embedding):
        super().__init__()
        self.vocabulary = vocabulary
        if embedding:
            self.embedding = nn.Embedding(vocabulary, embedding)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](embedding or vocabulary, hidden, layers, batch_first=True)
        self.decoder = nn.Linear(hidden, vocabulary)

    def forward(self, symbols, state):
        x = self.embedding(symbols) if hasattr(self, "embedding") else F.one_hot(symbols, self.vocabulary).double()
        y, state = self.rnn(x, state)
        return self.decoder(y), state


class Images(nn.Module):
    """Convolutions and pools with every setting. Paddings of four sides are left, right, top, bottom in PyTorch."""

    def __init__(self):
        super().__init__()
        self.conv2d1 = nn.Conv2d(2, 6, (3, 2), stride=(2, 1), dilation=(1, 2))
        self.conv2d2 = nn.Conv2d(6, 12, 3, padding=1, groups=6)
        self.convTranspose2d1 = nn.ConvTranspose2d(12, 4, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2)
        self.conv2d3 = nn.Conv2d(4, 5, 3, dilation=2, padding=1, groups=1, bias=False)
        self.linear1 = nn.Linear(5, 4)

    def forward(self, x):
        x = torch.tanh(self.conv2d1(F.pad(x, (1, 0, 0, 2))))
        x = F.max_pool2d(self.conv2d2(x), 3, 2, 1)
        x = torch.tanh(self.convTranspose2d1(x))
        x = F.avg_pool2d(x, (2, 3), stride=1, padding=1, count_include_pad=False)
        x = F.avg_pool2d(x, 3, stride=(1, 2), padding=(1, 0))
        x = F.max_pool2d(x, 2, 1)
        return self.linear1(F.adaptive_max_pool2d(self.conv2d3(x), 1).flatten(1))


class Rows(nn.Module):
    """The rows of an image as steps."""

    def __init__(self):
        super().__init__()
        self.conv1d1 = nn.Conv1d(6, 4, 3, groups=2, dilation=2)
        self.conv1d2 = nn.Conv1d(4, 5, 3, stride=2, padding=1)
        self.linear1 = nn.Linear(5, 3)

    def forward(self, x):
        x = x.transpose(1, 2).flatten(2).transpose(1, 2)
        x = torch.tanh(self.conv1d1(F.pad(x, (4, 0))))
        return self.linear1(self.conv1d2(x)[:, :, -1])


def lists(tensors):
    return {name: tensor.detach().reshape(-1).tolist() for name, tensor in tensors}


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {"loss": loss.item(), "gradients": lists((n, p.grad) for n, p in model.named_parameters())}


def buffers(model):
    return lists((n, b) for n, b in model.named_buffers() if not n.endswith("num_batches_tracked"))


def write(name, value):
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump({"torch": torch.__version__, **value}, file, separators=(",", ":"))
        file.write("\n")


def images(name, config, model, shape, classes, batch):
    # Fresh biases and factors are all alike: moved, each of them counts.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    weights = lists(model.named_parameters())
    batches = []
    model.train()
    for _ in range(2):
        features = torch.randint(0, 256, (batch, *shape))
        labels = torch.randint(0, classes, (batch,))
        loss = F.cross_entropy(model(features / 255), labels)
        batches.append(
            {"features": features.reshape(-1).tolist(), "labels": labels.tolist(), **gradients(model, loss), "buffers": buffers(model)}
        )
    model.eval()
    last = batches[-1]
    features = torch.tensor(last["features"]).reshape(batch, *shape) / 255
    loss = F.cross_entropy(model(features), torch.tensor(last["labels"]), reduction="sum").item()
    write(name, {"model": config, "shape": shape, "classes": classes, "batch": batch, "weights": weights, "batches": batches, "evaluation": loss})


def text(name, config, vocabulary, batch):
    model = CharRnn(config["cell"], vocabulary, config["hidden"], config["layers"], config["embedding"])
    steps = config["steps"]
    batches = []
    state = None
    for _ in range(2):
        symbols = torch.randint(0, vocabulary, (batch, steps))
        targets = torch.randint(0, vocabulary, (batch, steps))
        scores, state = model(symbols, state)
        loss = F.cross_entropy(scores.reshape(-1, vocabulary), targets.reshape(-1))
        result = gradients(model, loss)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        carried = {}
        for kind, of in zip(("hidden", "cell"), state if isinstance(state, tuple) else (state,)):
            for layer in range(config["layers"]):
                carried[f"rnn.{kind}_l{layer}"] = of[layer].reshape(-1).tolist()
        batches.append({"symbols": symbols.reshape(-1).tolist(), "targets": targets.reshape(-1).tolist(), **result, "buffers": carried})
    write(name, {"model": config, "vocabulary": vocabulary, "batch": batch, "weights": lists(model.named_parameters()), "batches": batches})


torch.manual_seed(1)
images("cnn", {"kind": "cnn", "channels": [3, 4], "kernel": 3, "hidden": [6]}, Cnn(2, [3, 4], 3, 6, 9, 4), (2, 9, 9), 4, 3)
torch.manual_seed(2)
images("resnet", {"kind": "resnet", "depth": 8, "width": 2}, ResNet(3, 2, 1, 4), (3, 7, 7), 4, 3)
torch.manual_seed(3)
text("lstm", {"kind": "charRnn", "cell": "lstm", "layers": 2, "hidden": 5, "embedding": 3, "steps": 6}, 7, 3)
torch.manual_seed(4)
text("lstm-one-hot", {"kind": "charRnn", "cell": "lstm", "layers": 1, "hidden": 4, "embedding": 0, "steps": 5}, 6, 2)
torch.manual_seed(5)
text("gru", {"kind": "charRnn", "cell": "gru", "layers": 2, "hidden": 5, "embedding": 3, "steps": 6}, 7, 3)
torch.manual_seed(6)
text("gru-one-hot", {"kind": "charRnn", "cell": "gru", "layers": 1, "hidden": 4, "embedding": 0, "steps": 5}, 6, 2)
torch.manual_seed(7)
text("gru-many-symbols", {"kind": "charRnn", "cell": "gru", "layers": 1, "hidden": 4, "embedding": 3, "steps": 4}, 11, 2)
torch.manual_seed(8)
images(
    "images",
    {
        "kind": "sequential",
        "layers": [
            {"kind": "conv2d", "channels": 6, "kernel": [3, 2], "stride": [2, 1], "dilation": [1, 2], "padding": [0, 1, 2, 0]},
            {"kind": "tanh"},
            {"kind": "conv2d", "channels": 12, "groups": 6},
            {"kind": "maxPool", "size": 3, "stride": 2, "padding": 1},
            {"kind": "convTranspose2d", "channels": 4, "kernel": [3, 2], "stride": 2, "padding": 1, "outputPadding": [1, 0], "groups": 2},
            {"kind": "tanh"},
            {"kind": "avgPool", "size": [2, 3], "stride": 1, "padding": 1, "countPadding": False},
            {"kind": "avgPool", "size": 3, "stride": [1, 2], "padding": [1, 0, 1, 0]},
            {"kind": "maxPool", "size": 2, "stride": 1},
            {"kind": "conv2d", "channels": 5, "dilation": 2, "bias": False},
            {"kind": "globalMaxPool"},
            {"kind": "linear"},
        ],
    },
    Images(),
    (2, 10, 17),
    4,
    2,
)
torch.manual_seed(9)
images(
    "rows",
    {
        "kind": "sequential",
        "layers": [
            {"kind": "imageRows"},
            {"kind": "conv1d", "channels": 4, "groups": 2, "dilation": 2, "padding": [4, 0]},
            {"kind": "tanh"},
            {"kind": "conv1d", "channels": 5, "stride": 2},
            {"kind": "lastStep"},
            {"kind": "linear"},
        ],
    },
    Rows(),
    (2, 7, 3),
    3,
    2,
)
