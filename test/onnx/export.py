"""Exports the networks with each of PyTorch's exporters, with a batch, its loss and its gradients.

python3 test/onnx/export.py FOLDER [--only NAME,NAME] [--float32]
"""

import argparse
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from networks import networks

warnings.filterwarnings("ignore")


def loss_of(output, y):
    if y.is_floating_point():
        return F.mse_loss(output, y)
    if output.dim() > 2 and output.shape[:-1] == y.shape:
        return F.cross_entropy(output.flatten(0, -2), y.flatten())
    return F.cross_entropy(output, y)


def old(model, inputs, path):
    names = [*inputs]
    torch.onnx.export(model.train(), (*inputs.values(),), path, dynamo=False, opset_version=17, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, input_names=names, output_names=["y"], dynamic_axes={name: {0: "batch"} for name in [*names, "y"]})


def fixed(model, inputs, path):
    """The older exporter with the batch size of the example."""
    torch.onnx.export(model.train(), (*inputs.values(),), path, dynamo=False, opset_version=17, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, input_names=[*inputs], output_names=["y"])


def whole(model, inputs, path):
    torch.onnx.export(model.train(), (*inputs.values(),), path, dynamo=True, optimize=False, external_data=False, dynamic_shapes=tuple({0: torch.export.Dim("batch")} for _ in inputs), verbose=False)


def static(model, inputs, path):
    torch.onnx.export(model.train(), (*inputs.values(),), path, dynamo=True, optimize=False, external_data=False, verbose=False)


def default(model, inputs, path):
    torch.onnx.export(model.train(), (*inputs.values(),), path, external_data=False, verbose=False)


exporters = {"old": old, "fixed": fixed, "whole": whole, "static": static, "default": default}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--exporters", default=",".join(exporters))
    parser.add_argument("--float32", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.only.split(",") if given.only else networks:
        torch.manual_seed(1)
        model, x, y = networks[name]()
        inputs = x if isinstance(x, dict) else {"x": x}
        model(*inputs.values())
        kind = torch.float32 if given.float32 else torch.float64
        model, inputs = model.to(kind), {name: one.to(kind) if one.is_floating_point() else one for name, one in inputs.items()}
        y = y.to(kind) if y.is_floating_point() else y
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)):
                nn.init.normal_(module.weight, 1, 0.1)
                nn.init.normal_(module.bias, 0, 0.1)
            if isinstance(module, nn.Dropout):
                module.p = 0.0 if name != "cnn" else module.p
        for exporter in given.exporters.split(","):
            try:
                torch.manual_seed(2)
                path = given.folder / f"{name}.{exporter}.onnx"
                exporters[exporter](model, inputs, str(path))
                model.train()
                for module in model.modules():
                    if isinstance(module, nn.Dropout):
                        module.eval()
                model.zero_grad()
                loss = loss_of(model(*inputs.values()), y)
                loss.backward()
                grads = {f"grad.{key}": value.grad.numpy() for key, value in model.named_parameters()}
                np.savez(given.folder / f"{name}.{exporter}.npz", x=next(iter(inputs.values())).numpy(), y=y.numpy(), loss=loss.item(), **grads)
                print(f"{name} {exporter}: {path.stat().st_size} bytes, loss {loss.item()}", flush=True)
            except Exception as error:
                path.unlink(missing_ok=True)
                lines = traceback.format_exception_only(error)[-1].strip().split("\n")
                print(f"{name} {exporter}: not exported: {lines[0][:300]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
