"""Records what PyTorch makes of attention, positions, gates and group normalization: `python3 record_layers.py`.

Writes attention.json and group-norm.json beside it, in the form of record.py.
"""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
folder = os.path.dirname(os.path.abspath(__file__))


def lists(tensors):
    return {name: tensor.detach().reshape(-1).tolist() for name, tensor in tensors}


def sinusoids(steps, width):
    position = torch.arange(steps).double()[:, None]
    rate = 10000.0 ** (-2 * torch.div(torch.arange(width), 2, rounding_mode="floor").double() / width)
    return torch.where(torch.arange(width) % 2 == 0, torch.sin(position * rate), torch.cos(position * rate))


def attend(layer, x, causal):
    mask = torch.ones(x.shape[1], x.shape[1]).triu(1).bool() if causal else None
    return layer(x, x, x, attn_mask=mask, need_weights=False)[0]


class PreNorm(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return x + attend(self.attn, self.norm(x), False)


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, x):
        return x + self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class Attention(nn.Module):
    """Rows of an image as steps: one block normalized before, one after attention."""

    def __init__(self):
        super().__init__()
        self.pre = PreNorm(8, 2)
        self.post = nn.ModuleDict({"attn": nn.MultiheadAttention(8, 4, bias=False, batch_first=True)})
        self.norm = nn.LayerNorm(8)
        self.mlp = FeedForward(8, 12)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = x.permute(0, 2, 1, 3).flatten(2)
        x = self.pre(x + sinusoids(6, 8))
        x = self.norm(x + attend(self.post["attn"], x, True))
        return self.fc(F.silu(self.mlp(x))[:, -1])


class Groups(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3, padding=1)
        self.norm = nn.GroupNorm(3, 6)
        self.fc1 = nn.Linear(6 * 4 * 4, 8)
        self.norm2 = nn.GroupNorm(2, 8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = F.silu(self.norm(self.conv(x))).flatten(1)
        return self.fc(F.gelu(self.norm2(self.fc1(x))))


def write(name, layers, model, shape, classes, batch):
    # Fresh biases and factors are all alike: moved, each of them counts.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    batches = []
    for _ in range(2):
        features = torch.randint(0, 256, (batch, *shape))
        labels = torch.randint(0, classes, (batch,))
        model.zero_grad()
        loss = F.cross_entropy(model(features / 255), labels)
        loss.backward()
        gradients = lists((n, p.grad) for n, p in model.named_parameters())
        batches.append({"features": features.reshape(-1).tolist(), "labels": labels.tolist(), "loss": loss.item(), "gradients": gradients, "buffers": {}})
    evaluation = F.cross_entropy(model(features / 255), labels, reduction="sum").item()
    content = {
        "torch": torch.__version__,
        "model": {"kind": "sequential", "layers": layers},
        "shape": shape,
        "classes": classes,
        "batch": batch,
        "weights": lists(model.named_parameters()),
        "batches": batches,
        "evaluation": evaluation,
    }
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")


torch.manual_seed(11)
write(
    "attention",
    [
        {"kind": "imageRows"},
        {"kind": "positions", "table": "sinusoidal"},
        {"kind": "residual", "name": "pre", "layers": [{"kind": "layerNorm", "name": "norm"}, {"kind": "attention", "name": "attn", "heads": 2}]},
        {"kind": "residual", "name": "post", "layers": [{"kind": "attention", "name": "attn", "heads": 4, "causal": True, "bias": False}]},
        {"kind": "layerNorm", "name": "norm"},
        {"kind": "residual", "name": "mlp", "layers": [{"kind": "linear", "name": "fc1", "width": 12}, {"kind": "gelu", "approximate": "tanh"}, {"kind": "linear", "name": "fc2", "width": 8}]},
        {"kind": "silu"},
        {"kind": "lastStep"},
        {"kind": "linear", "name": "fc"},
    ],
    Attention(),
    (2, 6, 4),
    4,
    3,
)
torch.manual_seed(12)
write(
    "group-norm",
    [
        {"kind": "conv2d", "name": "conv", "channels": 6},
        {"kind": "groupNorm", "name": "norm", "groups": 3},
        {"kind": "silu"},
        {"kind": "flatten"},
        {"kind": "linear", "name": "fc1", "width": 8},
        {"kind": "groupNorm", "name": "norm2", "groups": 2},
        {"kind": "gelu"},
        {"kind": "linear", "name": "fc"},
    ],
    Groups(),
    (2, 4, 4),
    4,
    3,
)
