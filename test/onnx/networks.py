"""PyTorch networks that the ONNX import is checked with. Each entry: (module, batch x, targets y)."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Causal self-attention with its own mask, as in minGPT."""

    def __init__(self, width, heads, steps):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(steps, steps)).view(1, 1, steps, steps))

    def forward(self, x):
        batch, steps, width = x.size()
        q, k, v = (t.view(batch, steps, self.heads, width // self.heads).transpose(1, 2) for t in self.qkv(x).split(width, dim=2))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(width // self.heads)
        scores = scores.masked_fill(self.mask[:, :, :steps, :steps] == 0, float("-inf"))
        y = F.softmax(scores, dim=-1) @ v
        return self.proj(y.transpose(1, 2).contiguous().view(batch, steps, width))


class FusedAttention(Attention):
    """Causal self-attention by scaled_dot_product_attention, as in nanoGPT."""

    def forward(self, x):
        batch, steps, width = x.size()
        q, k, v = (t.view(batch, steps, self.heads, width // self.heads).transpose(1, 2) for t in self.qkv(x).split(width, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).contiguous().view(batch, steps, width))


class Block(nn.Module):
    def __init__(self, width, heads, steps, attention):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = attention(width, heads, steps)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary=13, width=16, heads=4, layers=2, steps=8, attention=Attention, tied=False):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(steps, width)
        self.h = nn.ModuleList(Block(width, heads, steps, attention) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.wte.weight = self.lm_head.weight

    def forward(self, tokens):
        positions = torch.arange(tokens.size(1), device=tokens.device)
        x = self.wte(tokens) + self.wpe(positions)
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Llama(nn.Module):
    """RMSNorm, rotary positions, SwiGLU."""

    def __init__(self, vocabulary=13, width=16, heads=2, steps=8):
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(vocabulary, width)
        self.norm1, self.norm2, self.norm = RMSNorm(width), RMSNorm(width), RMSNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up, self.down = nn.Linear(width, 32, bias=False), nn.Linear(width, 32, bias=False), nn.Linear(32, width, bias=False)
        self.head = nn.Linear(width, vocabulary, bias=False)
        size = width // heads
        angles = torch.outer(torch.arange(steps).float(), 1 / 10000 ** (torch.arange(0, size, 2).float() / size))
        self.register_buffer("cos", torch.cat([angles, angles], -1).cos())
        self.register_buffer("sin", torch.cat([angles, angles], -1).sin())

    def rotate(self, x):
        a, b = x.chunk(2, dim=-1)
        return x * self.cos[: x.size(2)] + torch.cat([-b, a], -1) * self.sin[: x.size(2)]

    def forward(self, tokens):
        batch, steps = tokens.shape
        x = self.embed(tokens)
        h = self.norm1(x)
        q, k, v = (f(h).view(batch, steps, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(batch, steps, -1))
        h = self.norm2(x)
        x = x + self.down(F.silu(self.gate(h)) * self.up(h))
        return self.head(self.norm(x))


class ResidualA(nn.Module):
    """Shortcut of option A: strided slice and zero channels."""

    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.stride, self.more = stride, out - into

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, into = [], width
        for stage in range(3):
            for i in range(3):
                out = width * 2**stage
                blocks.append(ResidualA(into, out, 2 if stage > 0 and i == 0 else 1))
                into = out
        self.layers = nn.Sequential(*blocks)
        self.linear = nn.Linear(into, 10)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        return self.linear(F.avg_pool2d(x, x.size(3)).flatten(1))


class ResidualB(nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.down = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride > 1 or into != out else nn.Identity()

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.down(x))


class ResNet18(nn.Module):
    """ImageNet's network with its 7x7 stem and overlapping pool, on 32x32 images."""

    def __init__(self, width=4):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        blocks, into = [], width
        for stage in range(4):
            for i in range(2):
                out = width * 2**stage
                blocks.append(ResidualB(into, out, 2 if stage > 0 and i == 0 else 1))
                into = out
        self.layers = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(into, 10)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.layers(self.stem(x))), 1))


class Inverted(nn.Module):
    def __init__(self, into, out, stride, act, squeeze):
        super().__init__()
        hidden = 3 * into
        self.same = stride == 1 and into == out
        self.expand = nn.Sequential(nn.Conv2d(into, hidden, 1, bias=False), nn.BatchNorm2d(hidden), act())
        self.depth = nn.Sequential(nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), act())
        self.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(hidden, 4, 1), nn.ReLU(), nn.Conv2d(4, hidden, 1), nn.Hardsigmoid()) if squeeze else None
        self.project = nn.Sequential(nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = self.depth(self.expand(x))
        if self.se is not None:
            y = y * self.se(y)
        y = self.project(y)
        return x + y if self.same else y


def mobilenet():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.Hardswish(),
        Inverted(4, 4, 1, nn.ReLU6, False), Inverted(4, 6, 2, nn.Hardswish, True), Inverted(6, 6, 1, nn.ReLU6, True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(6, 10),
    )  # fmt: skip


class Recurrent(nn.Module):
    def __init__(self, cell, layers=1, bidirectional=False, last=False, vocabulary=11, width=6, hidden=5, batch_first=True):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.rnn = cell(width, hidden, num_layers=layers, bidirectional=bidirectional, batch_first=batch_first)
        self.head = nn.Linear(hidden * (2 if bidirectional else 1), vocabulary)
        self.last = last

    def forward(self, tokens):
        y, _ = self.rnn(self.embed(tokens))
        return self.head(y[:, -1] if self.last else y)


class Encoder(nn.Module):
    """The inputs of HuggingFace's encoders: symbols, a mask of what is no padding, types of sentences, positions."""

    def __init__(self, vocabulary=13, width=8, heads=2, steps=8):
        super().__init__()
        self.words, self.types, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(2, width), nn.Embedding(steps, width)
        self.norm = nn.LayerNorm(width)
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.decoder = nn.Linear(width, vocabulary, bias=False)
        self.decoder.weight = self.words.weight

    def forward(self, input_ids, attention_mask, token_type_ids, position_ids):
        x = self.norm(self.words(input_ids) + self.types(token_type_ids) + self.positions(position_ids))
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        hidden = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -1e9
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1)) + hidden
        y = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).flatten(2)
        return self.decoder(x + self.out(y))


def encoder():
    ids = symbols(13)
    positions = torch.arange(8).expand(3, 8).contiguous()
    return Encoder(), {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids), "position_ids": positions}, symbols(13)


class ViT(nn.Module):
    def __init__(self, width=12, heads=3, patch=4, size=16, norm_first=True, layers=2):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width))
        self.pos = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width))
        self.encoder = nn.ModuleList(nn.TransformerEncoderLayer(width, heads, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.size(0), -1, -1), x], dim=1) + self.pos
        for layer in self.encoder:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


class HandViT(nn.Module):
    """A ViT of nn.MultiheadAttention without TransformerEncoderLayer."""

    def __init__(self, width=12, heads=3):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.pos = nn.Parameter(torch.randn(1, 16, width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 24), nn.GELU(approximate="tanh"), nn.Linear(24, width))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.pos
        h = self.norm1(x)
        x = x + self.attn(h, h, h, need_weights=False)[0]
        x = x + self.mlp(self.norm2(x))
        return self.head(x.mean(1))


class UNet(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        pair = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())
        self.down1, self.down2, self.middle = pair(3, width), pair(width, 2 * width), pair(2 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2)
        self.dec2 = pair(4 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1)
        self.dec1 = pair(2 * width, width)
        self.out = nn.Conv2d(width, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.middle(F.max_pool2d(b, 2))
        b = self.dec2(torch.cat([self.up2(c), b], 1))
        return self.out(self.dec1(torch.cat([self.up1(b), a], 1)))


class Conv1dNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(2, 6, 5, stride=2, padding=3, dilation=2), nn.GroupNorm(3, 6), nn.SiLU(),
            nn.MaxPool1d(3, 2, 1), nn.Conv1d(6, 6, 3, groups=2), nn.BatchNorm1d(6), nn.ELU(), nn.AvgPool1d(3, 2, 1),
        )  # fmt: skip
        self.head = nn.LazyLinear(7)

    def forward(self, x):
        return F.log_softmax(self.head(self.features(x).flatten(1)), dim=1)


class Zoo(nn.Module):
    """Activations and norms that the other networks lack."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, (3, 5), stride=(1, 2), padding=(2, 1), dilation=(2, 1), padding_mode="zeros")
        self.reflect = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.inorm = nn.InstanceNorm2d(8, affine=True)
        self.prelu = nn.PReLU(8)
        self.acts = nn.ModuleList([nn.LeakyReLU(0.2), nn.Softplus(), nn.SELU(), nn.CELU(), nn.Mish(), nn.Hardtanh(), nn.Softsign(), nn.LogSigmoid(), nn.GELU("tanh"), nn.Softshrink(0.1), nn.Threshold(0.1, 0.2)])
        self.weights = nn.Parameter(torch.randn(len(self.acts)))
        self.scale = nn.Parameter(torch.tensor(1.3))
        self.head = nn.Linear(8, 6)

    def forward(self, x):
        x = self.prelu(self.inorm(self.reflect(self.conv(x))))
        x = F.interpolate(F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), scale_factor=2, mode="nearest")
        x = sum(w * act(x) for w, act in zip(F.softmax(self.weights, 0), self.acts))
        x = torch.einsum("bchw,cd->bdhw", x, self.conv.weight[:, 0, 0, :1].expand(8, 8))
        x = x.amax(dim=3) + x.mean(dim=3) + x.std(dim=3) + torch.logsumexp(x, dim=3) + x.norm(dim=3).clamp(min=0.1, max=5.0)
        return self.head(x.mean(2) * self.scale.exp())


def autoencoder():
    return nn.Sequential(nn.Linear(20, 12), nn.Sigmoid(), nn.Linear(12, 4), nn.LeakyReLU(0.1), nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 20))


def image(size, channels=3, count=4):
    return torch.randn(count, channels, size, size)


def symbols(vocabulary, steps=8, count=3):
    return torch.randint(0, vocabulary, (count, steps))


def classes(count, n=4):
    return torch.randint(0, count, (n,))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, stride=2, padding="valid"), nn.BatchNorm2d(8),
        nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.LazyLinear(16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 10),
    )  # fmt: skip


networks = {
    "mlp": lambda: (nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10), nn.LogSoftmax(dim=1)), image(8, 1), classes(10)),
    "cnn": lambda: (cnn(), image(12, 1), classes(10)),
    "resnet20": lambda: (ResNet20(), image(16), classes(10)),
    "resnet18": lambda: (ResNet18(), image(32), classes(10)),
    "mobilenet": lambda: (mobilenet(), image(16), classes(10)),
    "lstm": lambda: (Recurrent(nn.LSTM, layers=2), symbols(11), symbols(11)),
    "lstm-bidirectional": lambda: (Recurrent(nn.LSTM, bidirectional=True, last=True), symbols(11), classes(11, 3)),
    "gru": lambda: (Recurrent(nn.GRU), symbols(11), symbols(11)),
    "rnn": lambda: (Recurrent(nn.RNN), symbols(11), symbols(11)),
    "gpt": lambda: (GPT(), symbols(13), symbols(13)),
    "gpt-fused-tied": lambda: (GPT(width=8, heads=2, layers=1, attention=FusedAttention, tied=True), symbols(13), symbols(13)),
    "llama": lambda: (Llama(), symbols(13), symbols(13)),
    "vit": lambda: (ViT(), image(16), classes(10)),
    "vit-postnorm": lambda: (ViT(norm_first=False, layers=1, size=8), image(8), classes(10)),
    "vit-mha": lambda: (HandViT(), image(16), classes(10)),
    "unet": lambda: (UNet(), image(8), torch.randint(0, 3, (4, 8, 8))),
    "encoder": encoder,
    "autoencoder": lambda: (autoencoder(), torch.randn(5, 20), torch.rand(5, 20)),
    "conv1d": lambda: (Conv1dNet(), torch.randn(4, 2, 40), classes(7)),
    "zoo": lambda: (Zoo(), image(12), classes(6)),
}
