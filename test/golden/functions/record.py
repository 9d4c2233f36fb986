"""Values and gradients of network functions as PyTorch computes them in float64: writes functions.json beside this file."""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def case(name, inputs, function, **options):
    inputs = {key: value.clone().requires_grad_() for key, value in inputs.items()}
    result = function(**inputs)
    weights = torch.linspace(-1, 1, result.numel()).reshape(result.shape)
    (result * weights).sum().backward()
    flat = lambda tensor: tensor.detach().flatten().tolist()
    return {
        "name": name,
        "options": options,
        "inputs": {key: {"shape": list(value.shape), "values": flat(value), "gradient": flat(value.grad)} for key, value in inputs.items()},
        "result": {"shape": list(result.shape), "values": flat(result)},
    }


x = torch.randn(2, 3, 4)
scale, bias = torch.randn(4), torch.randn(4)
image, channel_scale, channel_bias = torch.randn(2, 4, 2, 3), torch.randn(4), torch.randn(4)
qkv = {"q": torch.randn(2, 2, 4, 3), "k": torch.randn(2, 2, 4, 3), "v": torch.randn(2, 2, 4, 2)}
mask = torch.tensor([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]]).bool()
blind = mask.clone()
blind[1] = False


def ours(q, k, v, allowed):
    """Attention in which a step without keys gets 0."""
    scores = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).masked_fill(~allowed, -torch.inf)
    sees = allowed.any(-1, keepdim=True)
    weights = torch.where(sees, torch.where(sees, scores, 0.0).softmax(-1), 0.0)
    return weights @ v


cases = [
    case("gelu", {"x": x}, lambda x: F.gelu(x), form="exact"),
    case("gelu", {"x": x}, lambda x: F.gelu(x, approximate="tanh"), form="tanh"),
    case("silu", {"x": x}, lambda x: F.silu(x)),
    case("layerNorm", {"x": x, "scale": scale, "bias": bias}, lambda x, scale, bias: F.layer_norm(x, (4,), scale, bias, 1e-5), epsilon=1e-5),
    case("layerNorm", {"x": x}, lambda x: F.layer_norm(x, (3, 4), eps=1e-2), epsilon=1e-2, axes=[-2, -1]),
    case("rmsNorm", {"x": x, "scale": scale}, lambda x, scale: F.rms_norm(x, (4,), scale, 1e-6), epsilon=1e-6),
    case("groupNorm", {"x": image, "scale": channel_scale, "bias": channel_bias}, lambda x, scale, bias: F.group_norm(x, 2, scale, bias, 1e-5), epsilon=1e-5, groups=2),
    case("attention", qkv, lambda q, k, v: F.scaled_dot_product_attention(q, k, v)),
    case("attention", qkv, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), causal=True),
    case("attention", qkv, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.3, attn_mask=mask), scale=0.3, allowed=mask.flatten().long().tolist()),
    case("attention", qkv, lambda q, k, v: ours(q, k, v, blind), allowed=blind.flatten().long().tolist()),
    case("attention", qkv, lambda q, k, v: ours(q, k, v, blind.tril()), causal=True, allowed=blind.flatten().long().tolist()),
]
pathlib.Path(__file__).with_name("functions.json").write_text(json.dumps(cases) + "\n")
