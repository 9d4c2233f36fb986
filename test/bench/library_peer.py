"""The authors' library as a peer: answers one JSON line per request line.

`{"cmd": "load", "folder": F, "mnist": M, "hidden": h}` reads what both sides share: F/weights.f64
(the initial weights, float64, in the order of `named_parameters()`), F/order.u32 (indices of
training examples in the order they are seen) and the four idx files in M.

`{"cmd": "trace", "stack": [...], "dtype": d, "sizes": [...], "out": FILE}` trains one step for
each batch size, and writes float64 rows to FILE: the loss, then every hyperparameter as stored
when that loss was measured. The answer names the columns; with `"test": true` it has the test
error in percent and the hyperparameters after the last update as well; with `"rounded": true`
the weights start larger by one part in 2^52.

`{"cmd": "time", "stack": [...], "steps": n, "threads": t, "createGraph": b}` answers ms per step.

`{"cmd": "runs", "stacks": [...], "epochs": n, "threads": t, "trainExamples": m}` trains whole runs, one
after another, with an evaluation on the test set after every epoch, as a script of the library's users
would, the data in memory; it answers the seconds that took and the last test errors.

A stack is `[{"type": "Adam", "alpha": 0.001}, ...]`, the weights' optimizer first.
"""
import gc
import json
import os
import sys
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from gradient_descent_the_ultimate_optimizer import gdtuo

# The library asks for create_graph=True and resets the gradients itself.
warnings.filterwarnings("ignore", message=".*create_graph=True.*")

BATCH = 256
SCALE = 1 / 255


class MLP(torch.nn.Module):
    """784-hidden-10, tanh after both layers, as the paper's MNIST_FullyConnected."""

    def __init__(self, hidden):
        super().__init__()
        self.layer1 = torch.nn.Linear(784, hidden)
        self.layer2 = torch.nn.Linear(hidden, 10)

    def forward(self, x):
        x = torch.tanh(self.layer1(x))
        x = torch.tanh(self.layer2(x))
        return F.log_softmax(x, dim=1)


def read_idx(path, header):
    return np.fromfile(path, dtype=np.uint8, offset=header)


class Shared:
    def __init__(self, folder, mnist, hidden):
        self.hidden = hidden
        self.weights = np.fromfile(os.path.join(folder, "weights.f64"), dtype=np.float64)
        self.order = np.fromfile(os.path.join(folder, "order.u32"), dtype=np.uint32).astype(np.int64)
        images = lambda name: torch.from_numpy(read_idx(os.path.join(mnist, name), 16).reshape(-1, 784))
        labels = lambda name: torch.from_numpy(read_idx(os.path.join(mnist, name), 8).astype(np.int64))
        self.train = (images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte"))
        self.test = (images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte"))

    def batches(self, sizes, dtype):
        start = 0
        for size in sizes:
            index = torch.from_numpy(self.order[start:start + size])
            start += size
            yield self.train[0][index].to(dtype) * SCALE, self.train[1][index]


def stack_of(levels):
    optimizer = None
    for level in reversed(levels):
        arguments = {name: float(value) for name, value in level.items() if name != "type"}
        above = {} if optimizer is None else {"optimizer": optimizer}
        optimizer = getattr(gdtuo, level["type"])(**arguments, **above)
    return optimizer


class Trainer:
    def __init__(self, shared, levels, dtype, create_graph=True, rounded=False):
        # The library's hyperparameters take the default type.
        torch.set_default_dtype(dtype)
        self.create_graph = create_graph
        self.model = MLP(shared.hidden)
        start = 0
        with torch.no_grad():
            for _, parameter in self.model.named_parameters():
                values = shared.weights[start:start + parameter.numel()]
                parameter.copy_(torch.from_numpy(values.reshape(tuple(parameter.shape))))
                if rounded:
                    parameter.mul_(1 + 2.0**-52)
                start += parameter.numel()
        assert start == len(shared.weights), "the weights are those of another model"
        self.wrapper = gdtuo.ModuleWrapper(self.model, optimizer=stack_of(levels))
        self.wrapper.initialize()

    def columns(self):
        return [f"L{k}.{name}" for k, level in enumerate(self.levels()) for name in level.parameters]

    def hyperparameters(self):
        return [float(value) for level in self.levels() for value in level.parameters.values()]

    def levels(self):
        level = self.wrapper.optimizer
        while not isinstance(level, gdtuo.NoOpOptimizer):
            yield level
            level = level.optimizer

    def step(self, features, labels):
        """One step as the library's documentation writes it; the loss before the update."""
        self.wrapper.begin()
        loss = F.nll_loss(self.wrapper.forward(features), labels)
        self.wrapper.zero_grad()
        loss.backward(create_graph=self.create_graph)
        self.wrapper.step()
        return loss.detach()

    def test_error(self, features, labels, dtype):
        with torch.no_grad():
            wrong = self.model(features.to(dtype) * SCALE).argmax(dim=1) != labels
        return 100 * wrong.to(torch.float64).mean().item()


DTYPES = {"float32": torch.float32, "float64": torch.float64}
shared = None


def trace(request):
    dtype = DTYPES[request["dtype"]]
    trainer = Trainer(shared, request["stack"], dtype, request.get("createGraph", True), request.get("rounded", False))
    columns = trainer.columns()
    rows = np.empty((len(request["sizes"]), 1 + len(columns)))
    for row, (features, labels) in zip(rows, shared.batches(request["sizes"], dtype)):
        row[1:] = trainer.hyperparameters()
        row[0] = float(trainer.step(features, labels))
    rows.tofile(request["out"])
    answer = {"columns": columns}
    if request.get("test"):
        answer["testError"] = trainer.test_error(*shared.test, dtype)
        answer["hyperparameters"] = dict(zip(columns, trainer.hyperparameters()))
    return answer


def timing(request):
    torch.set_num_threads(request["threads"])
    trainer = Trainer(shared, request["stack"], torch.float32, request["createGraph"])
    batches = list(shared.batches([BATCH] * 16, torch.float32))
    for features, labels in batches[:5]:
        trainer.step(features, labels)
    start = time.perf_counter()
    for i in range(request["steps"]):
        trainer.step(*batches[i % len(batches)])
    return {"ms": (time.perf_counter() - start) / request["steps"] * 1e3}


def runs(request):
    torch.set_num_threads(request["threads"])
    images, labels = (tensor[:request["trainExamples"]] for tensor in shared.train)
    start = time.perf_counter()
    errors = []
    for stack in request["stacks"]:
        trainer = Trainer(shared, stack, torch.float32)
        for _ in range(request["epochs"]):
            for index in torch.randperm(len(labels)).split(BATCH):
                trainer.step(images[index].to(torch.float32) * SCALE, labels[index])
            error = trainer.test_error(*shared.test, torch.float32)
        errors.append(error)
        gc.collect()
    return {"seconds": time.perf_counter() - start, "testErrors": errors}


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["cmd"] == "load":
        shared = Shared(request["folder"], request["mnist"], request["hidden"])
        reply = {}
    else:
        reply = {"trace": trace, "time": timing, "runs": runs}[request["cmd"]](request)
    gc.collect()
    print(json.dumps(reply), flush=True)
