"""The models of modelCases.ts in PyTorch: answers a JSON line for each line of work, one model a process.

`{"load": name, "optimizer": "sgd" | "tower", "device": "cpu" | "cuda", "steps": n}`: plain SGD, or Adam under SGD
by the authors' library.
"""
import json
import resource
import sys
import time
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCABULARY = 96


class Block(nn.Module):
    def __init__(self, into, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.pad = stride, (channels - into) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = x
        if self.stride > 1:
            short = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + short)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        blocks, into = [], 16
        for stage in (1, 2, 3):
            for i in range(3):
                out = 16 * 2 ** (stage - 1)
                blocks.append(Block(into, out, 2 if stage > 1 and i == 0 else 1))
                into = out
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.bn1(self.conv1(x)))).mean(dim=(2, 3)))


class Rows(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.rnn = cell(28, 64, batch_first=True)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.rnn(x[:, 0])[0][:, -1])


class CharRnn(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 128)
        self.rnn = cell(128, 128, 2, batch_first=True)
        self.decoder = nn.Linear(128, VOCABULARY)
        self.state = None

    def forward(self, symbols):
        y, state = self.rnn(self.embedding(symbols), self.state)
        self.state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        return self.decoder(y).reshape(-1, VOCABULARY)


def cnn():
    def pool():
        return [nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), *pool(), nn.Conv2d(16, 32, 5, padding=2), *pool(), nn.Flatten(), nn.Linear(32 * 49, 10)
    )


def bytes_of(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 10), nn.Tanh())


cases = {
    "mlp": lambda: (mlp(), bytes_of(256, 1, 28, 28), (256,), 10),
    "cnn": lambda: (cnn(), bytes_of(64, 1, 28, 28), (64,), 10),
    "resnet20": lambda: (ResNet20(), bytes_of(128, 3, 32, 32), (128,), 10),
    "lstm": lambda: (Rows(nn.LSTM), bytes_of(64, 1, 28, 28), (64,), 10),
    "gru": lambda: (Rows(nn.GRU), bytes_of(64, 1, 28, 28), (64,), 10),
    "charLstm": lambda: (CharRnn(nn.LSTM), torch.randint(0, VOCABULARY, (64, 50)), (64 * 50,), VOCABULARY),
    "charGru": lambda: (CharRnn(nn.GRU), torch.randint(0, VOCABULARY, (64, 50)), (64 * 50,), VOCABULARY),
}

step = None
device = "cpu"


def load(name, optimizer="sgd"):
    global step
    model, inputs, shape, classes = cases[name]()
    model, inputs = model.to(device), inputs.to(device)
    targets = torch.randint(0, classes, shape).to(device)

    def loss():
        x = inputs.float() * (1 / 255) if inputs.dtype == torch.uint8 else inputs
        return F.cross_entropy(model(x), targets)

    if optimizer == "tower":
        from gradient_descent_the_ultimate_optimizer import gdtuo

        wrapper = gdtuo.ModuleWrapper(model, optimizer=gdtuo.Adam(optimizer=gdtuo.SGD(1e-5)))
        wrapper.initialize()
        # The library's own hyperparameters are on the processor unless it is told otherwise.
        level = wrapper.optimizer
        while hasattr(level, "parameters") and level.parameters:
            level.parameters = {key: value.detach().to(device).requires_grad_() for key, value in level.parameters.items()}
            level = level.optimizer

        def one():
            wrapper.begin()
            value = loss()
            wrapper.zero_grad()
            value.backward(create_graph=True)
            wrapper.step()

    else:
        plain = torch.optim.SGD(model.parameters(), lr=0.01)

        def one():
            plain.zero_grad()
            loss().backward()
            plain.step()

    step = one


def finished():
    if device == "cuda":
        torch.cuda.synchronize()


warnings.filterwarnings("ignore", message=".*create_graph=True.*")
hello = {"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available()}
if torch.cuda.is_available():
    hello["cuda"] = torch.cuda.get_device_name(0)
print(json.dumps(hello), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(1)
    if "load" in request:
        device = request.get("device", "cpu")
        load(request["load"], request.get("optimizer", "sgd"))
        step()
    finished()
    start, used = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        step()
    finished()
    ms = (time.perf_counter() - start) / request["steps"] * 1e3
    cpu = (time.process_time() - used) / request["steps"] * 1e3
    print(json.dumps({"ms": ms, "cpu": cpu, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
