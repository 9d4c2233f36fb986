"""PyTorch as the peer of the step benchmark: answers one JSON line per request line.

A request is {"what": "sgd" | "adam" | "products", "steps": n, "threads": n}; the
answer is {"ms": milliseconds per step}. The model is the seed example's
(784-128-10, tanh after both layers, log-softmax, NLL, batch 256), float32.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.manual_seed(0)
BATCH = 256
x = torch.rand(BATCH, 784) * (torch.rand(BATCH, 784) < 0.2)
y = torch.randint(0, 10, (BATCH,))


def network():
    return torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.Tanh(), torch.nn.Linear(128, 10), torch.nn.Tanh())


def trainer(optimizer_of):
    model = network()
    optimizer = optimizer_of(model.parameters())

    def step():
        optimizer.zero_grad()
        F.nll_loss(F.log_softmax(model(x), dim=1), y).backward()
        optimizer.step()

    return step


def products():
    """The five matrix products of a step, into buffers that are there already: the floor."""
    w1, w2 = torch.rand(128, 784), torch.rand(10, 128)
    h, o, dz, do = torch.rand(BATCH, 128), torch.rand(BATCH, 10), torch.rand(BATCH, 128), torch.rand(BATCH, 10)
    dw1, dw2, dh = torch.empty_like(w1), torch.empty_like(w2), torch.empty_like(h)

    def step():
        torch.mm(x, w1.t(), out=h)
        torch.mm(h, w2.t(), out=o)
        torch.mm(do.t(), h, out=dw2)
        torch.mm(do, w2, out=dh)
        torch.mm(dz.t(), x, out=dw1)

    return step


steps = {
    "sgd": trainer(lambda p: torch.optim.SGD(p, lr=0.01)),
    "adam": trainer(lambda p: torch.optim.Adam(p, lr=0.001)),
    "products": products(),
}

print(json.dumps({"torch": torch.__version__, "blas": torch.__config__.show().split("\n")[0]}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    step = steps[request["what"]]
    for _ in range(5):
        step()
    start = time.perf_counter()
    for _ in range(request["steps"]):
        step()
    print(json.dumps({"ms": (time.perf_counter() - start) / request["steps"] * 1e3}), flush=True)
