"""Exports a PyTorch module so that Hypertower can train it, with a batch to check it by.

    python export_model.py FILE.py:FUNCTION NAME     FUNCTION() returns (module, x, y)
    python export_model.py NAME                      with example() below in place of FUNCTION
    from export_model import export                  export(module, x, y, "NAME")

writes NAME.onnx, and NAME.npz with x, y, the loss and its gradient by every parameter, as PyTorch computed them. Then:

    hypertower import-model NAME.onnx --check NAME.npz
    hypertower import-model NAME.onnx

x is the first batch of the module's only input; y has a class for every row of the output, such as the next symbol for
every position of a text, or floats of the output's shape. The output must be logits, or log-probabilities; of several outputs the first
is taken. nanoGPT's forward(idx) gives the last position alone: let it return the logits of all. Needs torch, onnx and onnxscript.
"""
import contextlib
import copy
import importlib.util
import json
import sys

import numpy
import onnx
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def example():
    """Replace this by your module, and one batch of your data."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    return module, torch.randn(16, 1, 28, 28), torch.randint(0, 10, (16,))


def exporters(x):
    """Ways to export, best first. What counts is that every parameter stays, under its name, as the module has it.

    The newer exporter with optimize=False kept all parameters of an MLP, a CNN and a ResNet with BatchNorm, an LSTM and a GRU,
    a GPT and a vision transformer (torch 2.15), with a batch of any size. With its default, optimize=True, it
    writes another model: 2 of the CNN's 6 were left, 2 of the LSTM's 11 and 7 of the GPT's 24. The older exporter keeps all as well, but
    refuses dropout between the layers of an LSTM or GRU. It comes last.
    """
    batch = torch.export.Dim("batch", min=1)
    newer = {"dynamo": True, "optimize": False, "external_data": False}
    older = {"dynamo": False, "opset_version": 17, "training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False}
    yield "newer exporter, any batch", {**newer, "dynamic_shapes": ({0: batch},)}
    yield "newer exporter, any batch but 1", {**newer, "dynamic_shapes": ({0: torch.export.Dim("batch", min=2)},)}
    yield "older exporter, any batch", {**older, "dynamic_axes": {"x": {0: "batch"}}}
    yield f"newer exporter, a batch of {len(x)}", newer
    yield f"older exporter, a batch of {len(x)}", older


class WithoutDropout(TorchFunctionMode):
    """Calls of dropout change nothing, whatever the module asks for."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name, kwargs = getattr(function, "__name__", ""), dict(kwargs or {})
        if "dropout" in name and args:
            return args[0]
        if name == "scaled_dot_product_attention":
            args = (*args[:4], 0.0, *args[5:]) if len(args) > 4 else args
            kwargs.pop("dropout_p", None)
        return function(*args, **kwargs)


def first(output):
    """The logits, where the module returns more."""
    while isinstance(output, (tuple, list)):
        output = output[0]
    return output


def loss_of(output, y):
    if y.is_floating_point():
        return functional.mse_loss(output, y.reshape(output.shape))
    # PyTorch has classes on axis 1, most modules on the last.
    return functional.cross_entropy(output.movedim(-1, 1) if output.shape[:-1] == y.shape else output, y)


def checked_batch(module, x, y):
    """Loss and gradients in train mode without dropout."""
    module = copy.deepcopy(module).train()
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd):
            part.p = 0.0
        if isinstance(part, (nn.RNNBase, nn.MultiheadAttention)):
            part.dropout = 0.0
    module.zero_grad()
    with WithoutDropout():
        loss = loss_of(first(module(x)), y)
    loss.backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    unused = [name for name, _ in module.named_parameters() if name not in gradients]
    if unused:
        print(f"no gradient, so not checked: {', '.join(unused)}")
    return {"x": x, "y": y, "loss": loss.detach(), **{f"grad.{name}": gradient for name, gradient in gradients.items()}}


def rename(graph, names):
    """Renames values of a graph and of the graphs inside it."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                rename(inner, names)
    for value in [*graph.initializer, *graph.value_info]:
        value.name = names.get(value.name, value.name)


def under_first_names(model, module, needed):
    """Tied parameters get the first of their names; the others are noted. Returns the needed parameters that the file lacks."""
    names_of = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names_of.setdefault(id(parameter), []).append(name)
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    parameters, tied, missing, renamed = dict(module.named_parameters()), {}, [], {}
    for name, *others in names_of.values():
        present = [one for one in (name, *others) if one in values]
        if present:
            tied.update({other: name for other in others})
        wanted = parameters[name].detach().cpu().numpy()
        if present and all(numpy.array_equal(onnx.numpy_helper.to_array(values[one]), wanted) for one in present):
            # The newer exporter writes one array for each name.
            for other in present[1:]:
                model.graph.initializer.remove(values[other])
            renamed.update({one: name for one in present if one != name})
        elif name in needed:
            missing.append(name)
    rename(model.graph, renamed)
    if tied:
        # The exporter lists the parameters here: readers must not look for one that is another.
        for entry in model.graph.metadata_props:
            for other, name in tied.items():
                entry.value = entry.value.replace(f"target='{other}'", f"target='{name}'")
        model.metadata_props.add(key="hypertower.tied", value=json.dumps(tied))
    return missing


def exported(module, x, path, needed):
    """Writes the file by the first way that keeps every parameter with a gradient, and says which."""
    problems = []
    for way, options in exporters(x):
        try:
            with contextlib.redirect_stdout(sys.stderr):
                # A copy: the older exporter runs the module, which moves running statistics.
                torch.onnx.export(copy.deepcopy(module).train(), (x,), path, input_names=["x"], **options)
            model = onnx.load(path)
            missing = under_first_names(model, module, needed)
            if missing:
                problems.append(f"{way}: {len(missing)} parameters are lost: {', '.join(missing[:5])}")
                continue
            onnx.checker.check_model(model, full_check=True)
            onnx.save(model, path)
            return way
        except Exception as error:  # Exporters raise errors of many types.
            problems.append(f"{way}: {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}")
    raise SystemExit("the module was not exported:\n  " + "\n  ".join(problems))


def export(module, x, y, name, double=False):
    """Writes NAME.onnx and NAME.npz. With double, in float64: for a comparison to the last digits."""
    if double:
        module, x = copy.deepcopy(module).double(), x.double() if x.is_floating_point() else x
    batch = {key: value.cpu().numpy() for key, value in checked_batch(module, x, y).items()}
    needed = {key[len("grad."):] for key in batch if key.startswith("grad.")}
    way = exported(module, x, f"{name}.onnx", needed)
    numpy.savez(f"{name}.npz", **batch)
    print(f"wrote {name}.onnx ({way}) and {name}.npz (loss {batch['loss']:.6g}, {len(needed)} gradients)")


def given(where):
    """Calls FUNCTION of FILE.py."""
    file, _, function = where.rpartition(":")
    spec = importlib.util.spec_from_file_location("given_model", file)
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return getattr(code, function)()


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--double"]
    if len(arguments) not in (1, 2):
        raise SystemExit(__doc__)
    torch.manual_seed(0)
    export(*(given(arguments[0]) if len(arguments) == 2 else example()), arguments[-1], double="--double" in sys.argv)
