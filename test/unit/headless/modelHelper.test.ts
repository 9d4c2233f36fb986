/** `hypertower import-model --helper`: the script that exports a PyTorch module. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommand } from "../../support/commandLine.ts";
import { everything } from "../../support/edition.ts";
import { findPython } from "../../support/python.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "hypertower-helper-"))));
afterAll(() => rmSync(folder, { recursive: true }));
const hypertower = (...args: string[]) => runCommand(join(folder, "store"), args);
const source = readFileSync(new URL("../../../resources/export_model.py", import.meta.url), "utf8");

it("is written to a new file or to standard output, with no other argument", async () => {
  const file = join(folder, "export.py");
  const written = await hypertower("import-model", "--helper", file);
  expect(written).toMatchObject({ code: 0, stdout: "" });
  expect(written.stderr).toContain(`wrote ${file}`);
  expect(readFileSync(file, "utf8")).toBe(source);
  writeFileSync(file, "mine");
  expect(await hypertower("import-model", "--helper", file)).toEqual({ code: 1, stdout: "", stderr: `hypertower: ${file} already exists; name another file: --helper FILE.py\n` });
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(await hypertower("import-model", "--helper", "-")).toEqual({ code: 0, stdout: source, stderr: "" });
  expect((await hypertower("import-model", "--helper", join(folder, "net.onnx"))).stderr).toContain("the script is in Python; name a file that ends in .py");
  expect((await hypertower("import-model", "--helper", join(folder, "none", "a.py"))).stderr).toContain("cannot be written: ENOENT");
  expect(existsSync(join(folder, "net.onnx"))).toBe(false);
  expect((await hypertower("import-model")).stderr).toContain("missing required argument 'file'");
});

const python = everything ? findPython("torch", "onnx", "onnxscript") : undefined;

/** Tied weights, dropout as a module and as a function, batch normalization, a parameter that is not used. */
const module = `
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.norm, self.out = nn.Embedding(11, 6), nn.BatchNorm1d(6), nn.Linear(6, 11, bias=False)
        self.drop, self.unused = nn.Dropout(0.5), nn.Linear(2, 2)
        self.out.weight = self.table.weight

    def forward(self, x):
        y = self.drop(self.table(x))
        y = self.norm(y.flatten(0, 1)).reshape(y.shape)
        return self.out(F.dropout(y, 0.5, self.training)), None

def make():
    torch.manual_seed(1)
    return Net(), torch.randint(0, 11, (4, 5)), torch.randint(0, 11, (4, 5))
`;

const look = `
import json, numpy, onnx
model = onnx.load("net.onnx")
onnx.checker.check_model(model, full_check=True)
batch = numpy.load("net.npz")
from net import make
import torch
net, x, y = make()
net.train(); net.drop.p = 0.0
tables = net.norm(net.table(x).flatten(0, 1)).reshape(4, 5, 6) @ net.out.weight.T
loss = torch.nn.functional.cross_entropy(tables.movedim(-1, 1), y); loss.backward()
print(json.dumps({
    "initializers": sorted(i.name for i in model.graph.initializer if "." in i.name and "running" not in i.name and "num_batches" not in i.name),
    "arrays": sorted(batch.files),
    "batch": model.graph.input[0].type.tensor_type.shape.dim[0].dim_param,
    "tied": {p.key: p.value for p in model.metadata_props}["hypertower.tied"],
    "loss": abs(float(batch["loss"]) - loss.item()),
    "gradient": float(numpy.abs(batch["grad.table.weight"] - net.table.weight.grad.numpy()).max()),
    "running": float(numpy.abs(onnx.numpy_helper.to_array({i.name: i for i in model.graph.initializer}["norm.running_mean"])).max()),
}))
`;

it.runIf(python !== undefined)("keeps every parameter, ties included, and computes without dropout", () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(python!, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  writeFileSync(join(folder, "net.py"), module);
  writeFileSync(join(folder, "script.py"), source);
  expect(run("script.py", "net.py:make", "net")).toMatch(/no gradient, so not checked: unused\.weight, unused\.bias\nwrote net\.onnx \(newer exporter, any batch\) and net\.npz \(loss [\d.]+, 3 gradients\)/);
  const found = JSON.parse(run("-c", look)) as Record<string, unknown>;
  expect(found).toMatchObject({
    initializers: ["norm.bias", "norm.weight", "table.weight"],
    arrays: ["grad.norm.bias", "grad.norm.weight", "grad.table.weight", "loss", "x", "y"],
    batch: "batch",
    tied: '{"out.weight": "table.weight"}',
    running: 0,
  });
  expect(found["loss"]).toBeLessThan(1e-6);
  expect(found["gradient"]).toBeLessThan(1e-6);
}, 120_000);
