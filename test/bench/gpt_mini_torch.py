"""gpt-mini in PyTorch: nanoGPT's model without biases and dropout (exact GELU, tied embedding) and its optimizer.

As a program, trains it as the preset gpt-mini does and prints each seed's loss on the whole validation text:
`python gpt_mini_torch.py TEXT [SEED ...]`, where TEXT is tiny Shakespeare; its last tenth is the validation text.
"""
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH, CONTEXT, LAYERS, HEADS, WIDTH, VOCABULARY = 12, 64, 4, 4, 128, 65
BETAS, DECAY, CLIP, ALPHA = (0.9, 0.99), 0.1, 1.0, 1e-3
STEPS, WARM_UP, LEAST = 2000, 100, 1e-4


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH, bias=False)
        self.c_attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attn_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.ln_2 = nn.LayerNorm(WIDTH, bias=False)
        self.c_fc = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.c_proj = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, h):
        b, t, c = h.shape
        q, k, v = (part.view(b, t, HEADS, c // HEADS).transpose(1, 2) for part in self.c_attn(self.ln_1(h)).split(c, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.attn_proj(mixed.transpose(1, 2).contiguous().view(b, t, c))
        return h + self.c_proj(F.gelu(self.c_fc(self.ln_2(h))))

class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(VOCABULARY, WIDTH)
        self.wpe = nn.Embedding(CONTEXT, WIDTH)
        self.h = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(WIDTH, bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * LAYERS) if "proj" in name else 0.02)

    def forward(self, symbols, targets):
        h = self.wte(symbols) + self.wpe(torch.arange(CONTEXT))
        for block in self.h:
            h = block(h)
        logits = F.linear(self.ln_f(h), self.wte.weight)
        return F.cross_entropy(logits.view(-1, VOCABULARY), targets.view(-1))


def optimizer_of(model, alpha=ALPHA):
    """AdamW that decays matrices only."""
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": DECAY},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=alpha, betas=BETAS, fused=True)


def alpha_at(step):
    """nanoGPT's schedule: a linear warm-up, then a cosine to LEAST."""
    if step < WARM_UP:
        return ALPHA * (step + 1) / (WARM_UP + 1)
    done = (step - WARM_UP) / (STEPS - WARM_UP)
    return LEAST + 0.5 * (1 + math.cos(math.pi * done)) * (ALPHA - LEAST)


def blocks(codes, starts):
    return (torch.stack([codes[start + shift : start + shift + CONTEXT] for start in starts]) for shift in (0, 1))


def train(train_codes, test_codes, seed):
    torch.manual_seed(seed)
    model = Gpt()
    optimizer = optimizer_of(model)
    for step in range(STEPS):
        symbols, targets = blocks(train_codes, torch.randint(len(train_codes) - CONTEXT, (BATCH,)))
        for group in optimizer.param_groups:
            group["lr"] = alpha_at(step)
        model(symbols, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    starts = range(0, len(test_codes) - CONTEXT, CONTEXT)
    with torch.no_grad():
        return sum(model(*blocks(test_codes, [start])).item() for start in starts) / len(starts)


if __name__ == "__main__":
    torch.set_num_threads(1)
    text = open(sys.argv[1], encoding="utf-8").read()
    alphabet = {symbol: code for code, symbol in enumerate(sorted(set(text)))}
    codes = torch.tensor([alphabet[symbol] for symbol in text])
    held = int(len(codes) * 0.9)
    for seed in map(int, sys.argv[2:] or ["0", "1", "2"]):
        print(f"seed {seed}: {train(codes[:held], codes[held:], seed):.4f} on the validation text (PyTorch {torch.__version__})", flush=True)
