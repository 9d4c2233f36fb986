"""Loads exported weights into PyTorch's modules and runs exported models in ONNX Runtime. Reads cases as JSON from standard input."""
import json
import sys

import numpy
import onnx
import onnxruntime
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

torch.set_num_threads(1)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1, self.layer2 = nn.Linear(784, 16), nn.Linear(16, 10)

    def forward(self, x):
        return self.layer2(torch.tanh(self.layer1(x.flatten(1))))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.fc1, self.fc2 = nn.Linear(8 * 49, 12), nn.Linear(12, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = torch.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class CharRnn(nn.Module):
    def __init__(self, cell, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 8)
        self.rnn = getattr(nn, cell)(8, 16, num_layers=2, batch_first=True)
        self.decoder = nn.Linear(16, vocabulary)

    def forward(self, x):
        return self.decoder(self.rnn(self.embedding(x))[0])


class Block(nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.stride, self.added = stride, out - into

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        if self.added:
            shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))
        return torch.relu(y + shortcut)


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 8, 2))
        self.layer3 = nn.Sequential(Block(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.heads = heads

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = (part.view(batch, steps, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, 2))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, steps, width))


class GptBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(width, bias=False), Attention(width, heads), nn.LayerNorm(width, bias=False)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width, bias=False), "c_proj": nn.Linear(4 * width, width, bias=False)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp["c_proj"](nn.functional.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Gpt(nn.Module):
    """With nanoGPT's names and tied embedding."""

    def __init__(self, vocabulary, width=16, steps=20):
        super().__init__()
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(vocabulary, width), "wpe": nn.Embedding(steps, width),
            "h": nn.ModuleList([GptBlock(width, 2) for _ in range(2)]), "ln_f": nn.LayerNorm(width, bias=False),
        })
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, x):
        y = self.transformer["wte"](x) + self.transformer["wpe"](torch.arange(x.shape[1]))
        for block in self.transformer["h"]:
            y = block(y)
        return self.lm_head(self.transformer["ln_f"](y))


def make(kind, vocabulary):
    return {"gpt": lambda: Gpt(vocabulary), "mlp": Mlp, "cnn": Cnn, "resnet": ResNet8, "lstm": lambda: CharRnn("LSTM", vocabulary), "gru": lambda: CharRnn("GRU", vocabulary)}[kind]()


def worst(a, b):
    return float(numpy.max(numpy.abs(numpy.asarray(a, dtype=numpy.float64) - numpy.asarray(b, dtype=numpy.float64))))


def start(kind, vocabulary, path):
    """Weights of a fresh module, as a user would save them."""
    from safetensors.torch import save_file

    torch.manual_seed(3)
    save_file({name: value.contiguous() for name, value in make(kind, vocabulary).state_dict().items()}, path)


def export(kind, vocabulary, path):
    """A fresh module as an ONNX file for training."""
    torch.manual_seed(3)
    x = torch.randint(0, vocabulary, (3, 20))
    torch.onnx.export(make(kind, vocabulary).train(), (x,), path, dynamo=True, optimize=False, external_data=False, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False)


def check(case):
    vocabulary = case.get("vocabulary", 0)
    model = make(case["kind"], vocabulary).eval()
    state = load_file(case["weights"])
    if "npz" in case:
        npz = numpy.load(case["npz"])
        assert all(numpy.array_equal(npz[name], state[name].numpy()) for name in npz.files), "npz and safetensors differ"
    result = model.load_state_dict(state, strict=True)
    assert not result.missing_keys and not result.unexpected_keys
    x = numpy.array(case["x"], dtype=numpy.float32).reshape(case["shape"]) if vocabulary == 0 else numpy.array(case["x"], dtype=numpy.int64).reshape(case["shape"])
    with torch.no_grad():
        logits = model(torch.from_numpy(x) * case.get("scale", 1) if vocabulary == 0 else torch.from_numpy(x))
    torch_probabilities = torch.softmax(logits, -1).numpy()
    answer = {"metadata": dict(safe_open(case["weights"], "pt").metadata() or {}), "torch": worst(torch_probabilities.reshape(-1), case["probabilities"])}
    if "model" in case:
        proto = onnx.load(case["model"])
        onnx.checker.check_model(proto, full_check=True)
        session = onnxruntime.InferenceSession(case["model"], providers=["CPUExecutionProvider"])
        [name] = [value.name for value in session.get_inputs()]
        found = session.run(["logits", "probabilities"], {name: x})
        answer.update(
            onnx=worst(found[1], torch_probabilities),
            logits=worst(found[0], logits),
            # Any other batch size.
            one=worst(session.run(["logits"], {name: x[:1]})[0], logits[:1]),
            opset=proto.opset_import[0].version,
            tracked={key: int(value) for key, value in state.items() if key.endswith("num_batches_tracked")},
        )
    return answer


order = json.load(sys.stdin)
if "start" in order:
    start(**order["start"])
    print("{}")
elif "export" in order:
    export(**order["export"])
else:
    print(json.dumps([check(case) for case in order["cases"]]))
