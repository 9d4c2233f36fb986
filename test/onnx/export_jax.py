"""Exports JAX networks (Flax NNX) by jax2onnx, with a batch, its loss and its gradients.

python3 test/onnx/export_jax.py FOLDER
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax2onnx import to_onnx


class MLP(nnx.Module):
    def __init__(self, rngs):
        self.first, self.second = nnx.Linear(64, 16, rngs=rngs), nnx.Linear(16, 10, rngs=rngs)

    def __call__(self, x):
        return self.second(nnx.tanh(self.first(x)))


class CNN(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(1, 6, (3, 3), rngs=rngs)
        self.depth = nnx.Conv(6, 6, (3, 3), strides=2, feature_group_count=6, rngs=rngs)
        self.norm = nnx.LayerNorm(6, rngs=rngs)
        self.head = nnx.Linear(6 * 3 * 3, 10, rngs=rngs)

    def __call__(self, x):
        x = nnx.max_pool(nnx.relu(self.conv(x)), window_shape=(2, 2), strides=(2, 2))
        x = nnx.gelu(self.norm(self.depth(x)))
        return self.head(x.reshape(x.shape[0], -1))


class Transformer(nnx.Module):
    def __init__(self, rngs):
        self.table = nnx.Embed(13, 16, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(4, 16, decode=False, rngs=rngs)
        self.norm1, self.norm2 = nnx.LayerNorm(16, rngs=rngs), nnx.LayerNorm(16, rngs=rngs)
        self.up, self.down, self.head = nnx.Linear(16, 32, rngs=rngs), nnx.Linear(32, 16, rngs=rngs), nnx.Linear(16, 13, rngs=rngs)

    def __call__(self, tokens):
        x = self.table(tokens)
        mask = jnp.tril(jnp.ones((8, 8), dtype=bool))[None, None]
        x = x + self.attention(self.norm1(x), mask=mask)
        return self.head(x + self.down(nnx.silu(self.up(self.norm2(x)))))


class Autoencoder(nnx.Module):
    def __init__(self, rngs):
        self.a, self.b = nnx.Linear(20, 8, rngs=rngs), nnx.Linear(8, 20, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.sigmoid(self.a(x)))


random = np.random.default_rng(1)
networks = {
    "mlp": (MLP, random.standard_normal((4, 64)).astype("f4"), random.integers(0, 10, 4), ("B", 64)),
    "cnn": (CNN, random.standard_normal((4, 12, 12, 1)).astype("f4"), random.integers(0, 10, 4), ("B", 12, 12, 1)),
    "transformer": (Transformer, random.integers(0, 13, (3, 8)).astype("i4"), random.integers(0, 13, (3, 8)), ("B", 8)),
    "autoencoder": (Autoencoder, random.standard_normal((4, 20)).astype("f4"), random.random((4, 20)).astype("f4"), ("B", 20)),
}


def loss_of(output, y):
    if y.dtype.kind == "f":
        return ((output - y) ** 2).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(output), jnp.asarray(y)[..., None], axis=-1).mean()


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (build, x, y, shape) in networks.items():
        path = folder / f"{name}.jax.onnx"
        try:
            model = build(nnx.Rngs(0))
            loss, found = nnx.value_and_grad(lambda m: loss_of(m(x), y))(model)
            flat = {".".join(map(str, key)): np.asarray(value[...]) for key, value in nnx.to_flat_state(found)}
            to_onnx(model, inputs=[jax.ShapeDtypeStruct(shape, x.dtype)], return_mode="file", output_path=str(path))
            np.savez(path.with_suffix(".npz"), x=x, y=np.asarray(y), loss=float(loss), **{f"grad.{key}": value for key, value in flat.items()})
            print(f"{path.stem}: {path.stat().st_size} bytes, loss {float(loss)}", flush=True)
        except Exception as error:
            path.unlink(missing_ok=True)
            print(f"{path.stem}: not exported: {type(error).__name__} {str(error)[:300]}", file=sys.stderr, flush=True)


main()
