/** A whole experiment as a Python script on the authors' library, so that anyone can check us. */
import { catalog } from "../../shared/catalog/index.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { Activation } from "../../shared/models/layers.ts";
import type { ModelConfigOf } from "../../shared/models/schema.ts";
import { sizeOf } from "../../shared/models/shape.ts";
import { modelText } from "../../shared/models/text.ts";
import type { RunDetail } from "../../shared/run.ts";
import { movingParts } from "../../shared/groups.ts";
import { optimizerSpec } from "../../shared/optimizers.ts";
import { listed } from "../../shared/text.ts";
import { initialValue, isPerParameter, learnedHyperparameters, type Level } from "../../shared/tower.ts";
import { ExportError } from "./errors.ts";
import { requirePublished, requireUnguarded } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";
import { inUse } from "./rules/common.ts";

interface LibraryClass {
  readonly all: string;
  readonly alphaOnly?: string;
  /** Hyperparameters that `all` moves. */
  readonly moved: readonly string[];
  /** Arguments, by our names. */
  readonly keywords: Readonly<Record<string, string>>;
}

const classes: Partial<Record<Level["optimizer"], LibraryClass>> = {
  sgd: { all: "SGD", moved: ["alpha", "mu"], keywords: { alpha: "alpha", mu: "mu" } },
  adam: {
    all: "Adam",
    alphaOnly: "AdamBaydin",
    moved: ["alpha", "beta1", "beta2"],
    keywords: { alpha: "alpha", beta1: "beta1", beta2: "beta2", logEps: "log_eps" },
  },
  adaGrad: { all: "AdaGrad", moved: ["alpha"], keywords: { alpha: "alpha" } },
  rmsProp: { all: "RMSProp", alphaOnly: "RMSPropAlpha", moved: ["alpha", "gamma"], keywords: { alpha: "alpha", gamma: "gamma" } },
};

interface LevelCode {
  readonly text: string;
  readonly usesOnly: boolean;
}

/**
 * The library's name for a parameter or hyperparameter: its SGDPerParam calls the step size of x
 * `x_alpha`, and its model is a Sequential.
 */
function libraryName(name: string, index: number, model: Mlp): string {
  if (index > 0) {
    const [, of] = /^alpha\[(.+)\]$/s.exec(name) ?? [];
    return of === undefined ? name : `${libraryName(of, index - 1, model)}_alpha`;
  }
  const [, layer, which] = /^layer(\d+)\.(\w+)$/.exec(name) ?? [];
  return `${(Number(layer) - 1) * (activations[model.activation] === null ? 1 : 2)}.${which!}`;
}

/** SGDPerParam as a constructor call; the library has no other groups. */
function perParameterCode(index: number, experiment: Experiment, above: string | undefined): LevelCode {
  const of = experiment.tower[index]!;
  if (!isPerParameter(of)) {
    throw new ExportError(`Level ${index} has groups or frozen parts, which the authors’ library knows only as SGDPerParam: plain SGD by name, the rest frozen.`);
  }
  const model = mlpOf(experiment);
  const entries = of.groups.map(({ name, alpha }) => `(${string(libraryName(name, index, model))}, ${float(alpha)})`);
  const optimizer = above === undefined ? "" : `, optimizer=${above}`;
  return { text: `gdtuo.SGDPerParam(params=[${entries.join(", ")}]${optimizer})`, usesOnly: false };
}

/** A level as a constructor call; `above` is the variable of the level above, if any. */
function levelCode(experiment: Experiment, index: number, above: string | undefined): LevelCode {
  const of = experiment.tower[index]!;
  if (of.frozen || of.groups.length > 0) return perParameterCode(index, experiment, above);
  const known = classes[of.optimizer];
  if (!known) throw new ExportError(`${optimizerSpec(of.optimizer).label} has no counterpart in the authors’ library; CSV and JSON can express it.`);
  const { all, alphaOnly, keywords, moved } = known;
  const learned = learnedHyperparameters(of).map(({ name }) => name);
  const onlyAlpha = alphaOnly !== undefined && learned.length === 1 && learned[0] === "alpha";
  for (const name of above === undefined ? [] : learned) {
    if (!moved.includes(name)) throw new ExportError(`Level ${index} learns ${name}, which the authors’ library cannot.`);
  }
  // The class must move nothing else: momentum that starts at 0 is off and has no gradient.
  const movable = moved.filter((name) => !(name === "mu" && initialValue(of, "mu") === 0));
  const restricted = above !== undefined && !onlyAlpha && learned.length < movable.length;
  const names = learned.map((name) => `"${name}"`).join(", ");
  const optimizer = above === undefined ? [] : [`optimizer=${restricted ? `Only([${names}], ${above})` : above}`];
  const values = Object.entries(keywords).map(([name, keyword]) => `${keyword}=${float(initialValue(of, name))}`);
  return { text: `gdtuo.${onlyAlpha ? alphaOnly : all}(${[...values, ...optimizer].join(", ")})`, usesOnly: restricted };
}

const only = `
class Only(gdtuo.Optimizable):
    """Passes only the named hyperparameters on to the optimizer above; the others stay as they are."""

    def __init__(self, names, optimizer):
        super().__init__({}, optimizer)
        self.names = names

    def step(self, params):
        chosen = {name: params[name] for name in self.names}
        self.optimizer.step(chosen)
        params.update(chosen)

`;

const activations: Record<Activation, string | null> = {
  tanh: "torch.nn.Tanh()",
  relu: "torch.nn.ReLU()",
  sigmoid: "torch.nn.Sigmoid()",
  identity: null,
};

/** Datasets in four idx files, which the script reads. */
const inIdxFiles = catalog.filter(({ reader }) => reader.format === "idx");

type Mlp = ModelConfigOf<"mlp">;

/** @throws ExportError for a model that the script cannot express */
function mlpOf({ model }: Experiment): Mlp {
  if (model.kind !== "mlp") throw new ExportError(`The script is written for multilayer perceptrons; this run’s model is ${modelText(model)}.`);
  if (model.initialization !== "default") {
    throw new ExportError(`The script initializes weights as PyTorch does by default; this run’s are initialized by ${model.initialization}.`);
  }
  return model;
}

function networkLines(experiment: Experiment): string[] {
  const { dataset } = experiment;
  const model = mlpOf(experiment);
  const entry = inIdxFiles.find(({ id }) => id === dataset.kind);
  if (!entry) throw new ExportError(`The script reads ${listed(inIdxFiles.map(({ id }) => id))}; this run’s dataset is ${dataset.kind}.`);
  const widths = [sizeOf(entry.exampleShape), ...model.hidden, entry.classNames.length];
  return widths.slice(1).flatMap((out, i) => {
    const activation = activations[i === widths.length - 2 ? model.outputActivation : model.activation];
    const dropout = model.dropout > 0 && i < widths.length - 2 ? [`torch.nn.Dropout(${model.dropout})`] : [];
    return [`torch.nn.Linear(${widths[i]!}, ${out})`, ...(activation === null ? [] : [activation]), ...dropout];
  });
}

/**
 * A script with the same model, initialization scheme, data, batch size, tower and budget. Its
 * random
 * numbers are PyTorch's, so results agree up to the noise between seeds, not digit by digit.
 * @throws ExportError for an option that the library lacks, or a model that is not an MLP
 */
export function libraryScript(run: RunDetail): string {
  const { experiment } = run;
  const { tower, batchSize, budget, dataset, seed, shuffle } = experiment;
  requireUnguarded(run);
  tower.forEach((of, index) => {
    // How the top level would be moved makes no difference; nor does the decoupling of a zero
    // decay.
    const meaningless = [...(index === tower.length - 1 ? ["alphaAs", "bounds", "atBounds"] : []), ...("weightDecay" in of && inUse(of) ? [] : ["weightDecayAs"])];
    for (const { group, settings } of movingParts(of)) requirePublished(settings, index, group, meaningless);
  });
  const variable = (level: number) => `level${level}`;
  const levels = tower.map((_, i) => levelCode(experiment, i, i + 1 < tower.length ? variable(i + 1) : undefined));
  const lines = levels.map(({ text }, i) => `    ${variable(i)} = ${text}`).reverse();
  return `#!/usr/bin/env python3
${comment(
  ...originLines(run),
  "",
  "The experiment on the authors' library of \"Gradient Descent: The Ultimate Optimizer\":",
  "    pip install torch gradient-descent-the-ultimate-optimizer",
  "    python this_file.py FOLDER",
  "FOLDER holds the four raw MNIST files: train-images-idx3-ubyte, train-labels-idx1-ubyte,",
  "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (or each with .gz).",
  "Random numbers are PyTorch's: expect the same results within the noise between seeds.",
)}
import argparse
import gzip
import os
import struct
import warnings

import torch
from gradient_descent_the_ultimate_optimizer import gdtuo

BATCH_SIZE = ${batchSize}
EPOCHS = ${budget.epochs}
SEED = ${seed}
TRAIN_EXAMPLES = ${dataset.trainExamples}
TEST_EXAMPLES = ${dataset.testExamples}

${levels.some(({ usesOnly }) => usesOnly) ? only : ""}
def make_tower():
    """${towerWords(tower)}"""
${lines.join("\n")}
    return level0


def make_model():
    return torch.nn.Sequential(
${networkLines(experiment).map((line) => `        ${line},`).join("\n")}
        torch.nn.LogSoftmax(dim=1),
    )


def read_idx(folder, name):
    path = os.path.join(folder, name)
    opener = open if os.path.exists(path) else gzip.open
    with opener(path if opener is open else path + ".gz", "rb") as file:
        data = file.read()
    dimensions = data[3]
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return torch.frombuffer(bytearray(data[4 + 4 * dimensions :]), dtype=torch.uint8).reshape(shape)


def read_examples(folder, which, count):
    images = read_idx(folder, f"{which}-images-idx3-ubyte")[:count]
    labels = read_idx(folder, f"{which}-labels-idx1-ubyte")[:count]
    return images.reshape(len(images), -1).float() / 255, labels.long()


def value_of(optimizer, name):
    """A hyperparameter as people write it: the library stores some of them otherwise."""
    stored = optimizer.parameters[name].detach()
    if name in ("beta1", "beta2", "gamma"):
        return ((stored.tanh() + 1) / 2).item()
    if name == "alpha" and isinstance(optimizer, (gdtuo.RMSProp, gdtuo.RMSPropAlpha)):
        return stored.square().item()
    return stored.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="folder of the four raw MNIST files")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    # The library needs create_graph=True, of which PyTorch warns.
    warnings.filterwarnings("ignore", message="Using backward\\\\(\\\\) with create_graph=True")

    torch.manual_seed(options.seed)
    x_train, y_train = read_examples(options.folder, "train", TRAIN_EXAMPLES)
    x_test, y_test = read_examples(options.folder, "t10k", TEST_EXAMPLES)
    model = make_model()
    tower = make_tower()
    wrapper = gdtuo.ModuleWrapper(model, optimizer=tower)
    wrapper.initialize()

    for epoch in range(1, options.epochs + 1):
        total = 0.0
        model.train()
        for batch in torch.${shuffle ? "randperm" : "arange"}(len(x_train)).split(BATCH_SIZE):
            wrapper.begin()
            loss = torch.nn.functional.nll_loss(wrapper.forward(x_train[batch]), y_train[batch])
            wrapper.zero_grad()
            loss.backward(create_graph=True)
            wrapper.step()
            total += loss.item() * len(batch)
        model.eval()
        with torch.no_grad():
            wrong = (model(x_test).argmax(dim=1) != y_test).sum().item()
        values = ", ".join(f"{name} {value_of(tower, name):.6g}" for name in tower.parameters)
        print(
            f"epoch {epoch}/{options.epochs}  training loss {total / len(x_train):.4f}"
            f"  test error {100 * wrong / len(x_test):.2f} %  level 0: {values}",
            flush=True,
        )


if __name__ == "__main__":
    main()
`;
}

function towerWords(tower: readonly Level[]): string {
  return tower.length === 1 ? "The optimizer of the weights." : "Level 0 moves the weights, every other level the hyperparameters of the one below.";
}
