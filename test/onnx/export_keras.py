"""Exports Keras networks as model.export(format="onnx") does, with a batch, its loss and its gradients.

KERAS_BACKEND=tensorflow|jax|torch python3 test/onnx/export_keras.py FOLDER [--only NAME,NAME]

The file has the network of inference, so batch normalization calculates with its running
statistics here too. Gradients are named by Keras's paths; the check finds the arrays by shape.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers as L


def vit():
    x = inputs = keras.Input((16, 16, 3))
    x = L.Conv2D(12, 4, 4)(x)
    x = L.Reshape((16, 12))(x)
    h = L.LayerNormalization()(x)
    x = x + L.MultiHeadAttention(3, 4)(h, h)
    h = L.LayerNormalization()(x)
    x = x + L.Dense(12)(L.Dense(24, activation="gelu")(h))
    return keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling1D()(x)))


def gpt():
    inputs = keras.Input((8,), dtype="int32")
    x = L.Embedding(13, 16)(inputs)
    h = L.LayerNormalization()(x)
    x = x + L.MultiHeadAttention(4, 4)(h, h, use_causal_mask=True)
    h = L.LayerNormalization()(x)
    x = x + L.Dense(16)(L.Dense(64, activation="gelu")(h))
    return keras.Model(inputs, L.Dense(13, use_bias=False)(L.LayerNormalization()(x)))


def unet():
    inputs = keras.Input((16, 16, 3))
    a = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    b = L.Conv2D(8, 3, padding="same", strides=2, activation="relu")(a)
    c = L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(b)
    return keras.Model(inputs, L.Conv2D(3, 1)(L.Concatenate()([a, c])))


def resnet():
    inputs = x = keras.Input((16, 16, 3))
    x = L.Conv2D(4, 3, padding="same", use_bias=False)(x)
    for width, stride in ((4, 1), (8, 2), (16, 2)):
        shortcut = x if stride == 1 else L.Conv2D(width, 1, strides=stride, use_bias=False)(x)
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)))
        x = L.ReLU()(L.Add()([L.BatchNormalization()(L.Conv2D(width, 3, padding="same", use_bias=False)(y)), shortcut]))
    return keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x)))


S = keras.Sequential
networks = {
    "mlp": (lambda: S([L.Input((64,)), L.Dense(16, activation="tanh"), L.Dense(10)]), (64,), 10),
    "softmax": (lambda: S([L.Input((64,)), L.Dense(16, activation="relu"), L.Dense(10, activation="softmax")]), (64,), 10),
    "cnn": (lambda: S([L.Input((12, 12, 1)), L.Conv2D(6, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.Conv2D(8, 3, strides=2), L.Flatten(), L.Dropout(0.3), L.Dense(10)]), (12, 12, 1), 10),
    "resnet": (resnet, (16, 16, 3), 10),
    "mobilenet": (lambda: S([L.Input((16, 16, 3)), L.Conv2D(6, 3, strides=2, padding="same"), L.ReLU(6.0), L.DepthwiseConv2D(3, padding="same"), L.BatchNormalization(), L.Activation("silu"), L.SeparableConv2D(8, 3, strides=2), L.GlobalAveragePooling2D(), L.Dense(10)]), (16, 16, 3), 10),
    "lstm": (lambda: S([L.Input((8,), dtype="int32"), L.Embedding(11, 6), L.LSTM(5, return_sequences=True), L.Dense(11)]), (8, 11), 11),
    "gru": (lambda: S([L.Input((8,), dtype="int32"), L.Embedding(11, 6), L.GRU(5, return_sequences=True), L.Dense(11)]), (8, 11), 11),
    "gpt": (gpt, (8, 13), 13),
    "vit": (vit, (16, 16, 3), 10),
    "unet": (unet, (16, 16, 3), 3),
    "autoencoder": (lambda: S([L.Input((20,)), L.Dense(12, activation="sigmoid"), L.Dense(4, activation="elu"), L.Dense(12, activation="relu"), L.Dense(20)]), (20,), 0),
}


def batch_of(name, shape, classes, random):
    if name in ("lstm", "gru", "gpt"):
        steps, symbols = shape
        return random.integers(0, symbols, (3, steps)).astype("int32"), random.integers(0, symbols, (3, steps)).astype("int32")
    x = random.standard_normal((4, *shape)).astype("float32")
    if classes == 0:
        return x, random.random((4, *shape)).astype("float32")
    return x, random.integers(0, classes, (4, *shape[:2]) if name == "unet" else (4,)).astype("int32")


def loss_of(output, y):
    from keras import ops

    if y.dtype.kind == "f":
        return ops.mean((output - y) ** 2)
    return ops.mean(keras.losses.sparse_categorical_crossentropy(y, output, from_logits=True))


def gradients(model, x, y):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = loss_of(model(x, training=False), y)
        found = tape.gradient(loss, [v.value for v in model.trainable_variables])
        return float(loss), [tf.convert_to_tensor(g).numpy() for g in found]
    if backend == "torch":
        import torch

        loss = loss_of(model(torch.as_tensor(x), training=False), y)
        loss.backward()
        return float(loss), [v.value.grad.numpy() for v in model.trainable_variables]
    import jax

    still = [v.value for v in model.non_trainable_variables]
    wanted, found = jax.value_and_grad(lambda w: loss_of(model.stateless_call(w, still, x, training=False)[0], y))([v.value for v in model.trainable_variables])
    return float(wanted), [np.asarray(g) for g in found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.only.split(",") if given.only else networks:
        build, shape, classes = networks[name]
        keras.utils.set_random_seed(1)
        path = given.folder / f"{name}.keras-{keras.backend.backend()}.onnx"
        try:
            model = build()
            random = np.random.default_rng(2)
            x, y = batch_of(name, shape, classes, random)
            model(x)
            for variable in model.variables:
                if variable.path.endswith(("gamma", "beta", "moving_mean", "moving_variance", "bias")):
                    variable.assign(variable + 0.2 * random.random(variable.shape).astype("float32"))
            loss, found = gradients(model, x, y)
            model.export(str(path), format="onnx", verbose=False)
            np.savez(path.with_suffix(".npz"), x=x, y=y, loss=loss, **{f"grad.{v.path}": g for v, g in zip(model.trainable_variables, found)})
            print(f"{path.stem}: {path.stat().st_size} bytes, loss {loss}", flush=True)
        except Exception as error:
            path.unlink(missing_ok=True)
            print(f"{path.stem}: not exported: {type(error).__name__} {str(error)[:300]}", file=sys.stderr, flush=True)


main()
