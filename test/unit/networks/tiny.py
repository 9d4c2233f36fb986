"""Makes tiny.onnx and symbols.onnx: python tiny.py (torch 2.15, onnx 1.23)."""
import torch
import torch.nn as nn


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.drop, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.1), nn.Linear(64, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn(self.conv(x))), 2)
        return self.fc(self.drop(torch.flatten(x, 1)))


class Symbols(nn.Module):
    def __init__(self, symbols=65, width=32, steps=16):
        super().__init__()
        self.e, self.p, self.ln = nn.Embedding(symbols, width), nn.Embedding(steps, width), nn.LayerNorm(width)
        self.qkv, self.o, self.fc, self.steps = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.Linear(width, symbols), steps
        self.register_buffer("mask", torch.tril(torch.ones(steps, steps)).view(1, steps, steps))

    def forward(self, x):
        h = self.e(x) + self.p(torch.arange(self.steps))
        q, k, v = self.qkv(self.ln(h)).split(32, dim=2)
        a = ((q @ k.transpose(1, 2)) / 32**0.5).masked_fill(self.mask == 0, float("-inf"))
        return self.fc(h + self.o(torch.softmax(a, -1) @ v))


def write(model, example, path):
    torch.onnx.export(
        model.train(), (example,), path, dynamo=False, opset_version=17, training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False, dynamic_axes={"x": {0: "batch"}}, input_names=["x"], output_names=["y"],
    )


torch.manual_seed(0)
tiny = Tiny()
tiny(torch.rand(16, 1, 8, 8))
with torch.no_grad():
    tiny.bn.running_mean += 0.5
write(tiny, torch.rand(2, 1, 8, 8), "tiny.onnx")
torch.manual_seed(0)
write(Symbols(), torch.zeros(2, 16, dtype=torch.long), "symbols.onnx")
