"""Records what PyTorch makes of small transformers at given weights: `python3 record_transformer.py` writes the JSON files beside it.

As record.py: float64, one thread. The modules are nanoGPT's, with RMSNorm, SwiGLU, normalized queries and keys, z-loss and an
output layer of its own as options.
"""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
folder = os.path.dirname(os.path.abspath(__file__))


class Rms(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


def norm(config, width, bias):
    return Rms(width) if config["norm"] == "rms" else nn.LayerNorm(width, bias=bias)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, self.heads = config["width"], config["heads"]
        self.c_attn = nn.Linear(width, 3 * width, bias=config["bias"])
        if config["qkNorm"]:
            self.q_norm, self.k_norm = (norm(config, width // self.heads, False) for _ in range(2))
        self.c_proj = nn.Linear(width, width, bias=config["bias"])

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = (part.view(batch, steps, self.heads, -1).transpose(1, 2) for part in self.c_attn(x).split(width, dim=2))
        if hasattr(self, "q_norm"):
            q, k = self.q_norm(q), self.k_norm(k)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(mixed.transpose(1, 2).reshape(batch, steps, width))


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, bias = config["width"], config["bias"]
        self.gated = config["activation"] == "swiglu"
        inner = round(8 * width / 3) if self.gated else 4 * width
        self.c_fc = nn.Linear(width, 2 * inner if self.gated else inner, bias=bias)
        self.c_proj = nn.Linear(inner, width, bias=bias)

    def forward(self, x):
        y = self.c_fc(x)
        if self.gated:
            gate, value = y.chunk(2, -1)
            return self.c_proj(F.silu(gate) * value)
        return self.c_proj(F.gelu(y))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = norm(config, config["width"], config["bias"])
        self.attn = Attention(config)
        self.ln_2 = norm(config, config["width"], config["bias"])
        self.mlp = FeedForward(config)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, config, vocabulary):
        super().__init__()
        width = config["width"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, width),
                "wpe": nn.Embedding(config["context"], width),
                "h": nn.ModuleList(Block(config) for _ in range(config["layers"])),
                "ln_f": norm(config, width, config["bias"]),
            }
        )
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        if config["tied"]:
            self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, symbols):
        x = self.transformer["wte"](symbols) + self.transformer["wpe"](torch.arange(symbols.shape[1]))
        for block in self.transformer["h"]:
            x = block(x)
        return self.lm_head(self.transformer["ln_f"](x))


def lists(tensors):
    return {name: tensor.detach().reshape(-1).tolist() for name, tensor in tensors}


def write(name, vocabulary, batch, **options):
    config = {"kind": "transformer", "layers": 2, "heads": 2, "width": 6, "context": 5, "bias": False, "norm": "layer", "activation": "gelu", "tied": True, "qkNorm": False, "zLoss": 0, **options}
    model = Transformer(config, vocabulary)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    batches = []
    for _ in range(2):
        symbols, targets = (torch.randint(0, vocabulary, (batch, config["context"])) for _ in range(2))
        scores = model(symbols).reshape(-1, vocabulary)
        loss = F.cross_entropy(scores, targets.reshape(-1)) + config["zLoss"] * torch.logsumexp(scores, -1).pow(2).mean()
        model.zero_grad()
        loss.backward()
        gradients = lists((n, p.grad) for n, p in model.named_parameters())
        batches.append({"symbols": symbols.reshape(-1).tolist(), "targets": targets.reshape(-1).tolist(), "loss": loss.item(), "gradients": gradients, "buffers": {}})
    value = {"torch": torch.__version__, "model": config, "vocabulary": vocabulary, "batch": batch, "weights": lists(model.named_parameters()), "batches": batches}
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


torch.manual_seed(3)
write("transformer", 7, 3)
write("transformer-biases", 7, 3, bias=True, tied=False)
write("transformer-rms-swiglu", 5, 2, norm="rms", activation="swiglu", qkNorm=True, zLoss=0.01, heads=3)
write("transformer-qk-norm", 5, 2, qkNorm=True, zLoss=1e-3)
