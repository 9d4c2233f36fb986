"""The models of modelCases.ts in PyTorch under plain SGD: answers a JSON line for each line of work, one model a process."""
import json
import resource
import sys
import time

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


cases = {
    "cnn": lambda: (cnn(), bytes_of(64, 1, 28, 28), (64,), 10),
    "resnet20": lambda: (ResNet20(), bytes_of(128, 3, 32, 32), (128,), 10),
    "lstm": lambda: (Rows(nn.LSTM), bytes_of(64, 1, 28, 28), (64,), 10),
    "gru": lambda: (Rows(nn.GRU), bytes_of(64, 1, 28, 28), (64,), 10),
    "charLstm": lambda: (CharRnn(nn.LSTM), torch.randint(0, VOCABULARY, (64, 50)), (64 * 50,), VOCABULARY),
    "charGru": lambda: (CharRnn(nn.GRU), torch.randint(0, VOCABULARY, (64, 50)), (64 * 50,), VOCABULARY),
}

step = None


def load(name):
    global step
    model, inputs, shape, classes = cases[name]()
    targets = torch.randint(0, classes, shape)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def one():
        optimizer.zero_grad()
        x = inputs.float() * (1 / 255) if inputs.dtype == torch.uint8 else inputs
        F.cross_entropy(model(x), targets).backward()
        optimizer.step()

    step = one


print(json.dumps({"torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available()}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(1)
    if "load" in request:
        load(request["load"])
        step()
    start, used = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        step()
    ms = (time.perf_counter() - start) / request["steps"] * 1e3
    cpu = (time.process_time() - used) / request["steps"] * 1e3
    print(json.dumps({"ms": ms, "cpu": cpu, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
