"""gpt-mini in PyTorch and JAX: answers a JSON line for each line of work, one framework a process.

`{"load": "torch" | "torchCompiled" | "jax", "steps": n}`: forward, backward, clipping to a norm of 1 and AdamW with nanoGPT's
groups. The model is nanoGPT's, without biases and dropout: exact GELU, tied embedding.
"""
import json
import math
import resource
import sys
import time

import numpy as np

BATCH, CONTEXT, LAYERS, HEADS, WIDTH, VOCABULARY = 12, 64, 4, 4, 128, 65
BETAS, DECAY, CLIP, ALPHA = (0.9, 0.99), 0.1, 1.0, 1e-3
random = np.random.default_rng(0)
x, y = (random.integers(0, VOCABULARY, (BATCH, CONTEXT)) for _ in range(2))


def torch_step(compiled):
    import torch
    from gpt_mini_torch import Gpt, optimizer_of

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Gpt()
    loss_of = torch.compile(model) if compiled else model
    optimizer = optimizer_of(model)
    symbols, targets = torch.from_numpy(x), torch.from_numpy(y)

    def step():
        loss = loss_of(symbols, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step, {"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available()}


def jax_step():
    import jax
    import jax.numpy as jnp
    import optax

    def normal(*shape, deviation=0.02):
        return jnp.asarray(random.standard_normal(shape) * deviation, jnp.float32)

    residual = 0.02 / math.sqrt(2 * LAYERS)
    parameters = {
        "wte": normal(VOCABULARY, WIDTH),
        "wpe": normal(CONTEXT, WIDTH),
        "ln_f": jnp.ones(WIDTH),
        "h": [
            {
                "ln_1": jnp.ones(WIDTH),
                "c_attn": normal(3 * WIDTH, WIDTH),
                "attn_proj": normal(WIDTH, WIDTH, deviation=residual),
                "ln_2": jnp.ones(WIDTH),
                "c_fc": normal(4 * WIDTH, WIDTH),
                "c_proj": normal(WIDTH, 4 * WIDTH, deviation=residual),
            }
            for _ in range(LAYERS)
        ],
    }

    def norm(h, scale):
        centered = h - h.mean(-1, keepdims=True)
        return centered * jax.lax.rsqrt((centered**2).mean(-1, keepdims=True) + 1e-5) * scale

    causal = jnp.tril(jnp.ones((CONTEXT, CONTEXT), bool))

    def loss_of(p, symbols, targets):
        h = p["wte"][symbols] + p["wpe"]
        for block in p["h"]:
            q, k, v = (part.reshape(BATCH, CONTEXT, HEADS, -1) for part in jnp.split(norm(h, block["ln_1"]) @ block["c_attn"].T, 3, -1))
            scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(WIDTH // HEADS)
            weights = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf))
            h = h + jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(BATCH, CONTEXT, WIDTH) @ block["attn_proj"].T
            h = h + jax.nn.gelu(norm(h, block["ln_2"]) @ block["c_fc"].T, approximate=False) @ block["c_proj"].T
        logp = jax.nn.log_softmax(norm(h, p["ln_f"]) @ p["wte"].T)
        return -jnp.take_along_axis(logp, targets[..., None], -1).mean()

    optimizer = optax.chain(
        optax.clip_by_global_norm(CLIP),
        optax.adamw(ALPHA, b1=BETAS[0], b2=BETAS[1], weight_decay=DECAY, mask=lambda p: jax.tree.map(lambda a: a.ndim >= 2, p)),
    )

    @jax.jit
    def update(p, state, symbols, targets):
        loss, gradients = jax.value_and_grad(loss_of)(p, symbols, targets)
        updates, state = optimizer.update(gradients, state, p)
        return optax.apply_updates(p, updates), state, loss

    held = [parameters, optimizer.init(parameters)]

    def step():
        held[0], held[1], loss = update(held[0], held[1], x, y)
        return float(loss)

    return step, {"jax": jax.__version__}


loaded = None
print(json.dumps({}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    facts = {}
    if "load" in request:
        which = request["load"]
        loaded, facts = jax_step() if which == "jax" else torch_step(which == "torchCompiled")
        for _ in range(3):
            loaded()
    start, used = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        loss = loaded()
    ms = (time.perf_counter() - start) / request["steps"] * 1e3
    cpu = (time.process_time() - used) / request["steps"] * 1e3
    print(json.dumps({**facts, "ms": ms, "cpu": cpu, "loss": loss, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
