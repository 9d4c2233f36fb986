/** The optimization problem: a model under a loss, as nodes for a batch. */
import { isScalar, sizeOf, type Node, type Shape } from "../core/program/node.ts";
import { cast, constant, mul } from "../core/program/operations/index.ts";
import { CheckedBatch, type Batch } from "./batch.ts";
import type { Loss, Metric } from "./losses.ts";
import type { Model, ParameterSpec } from "./model.ts";

interface Parameter extends ParameterSpec {
  /** The model's name for it. */
  readonly name: string;
  /** State variable; prefixed so that user-chosen names cannot collide. */
  readonly stateName: string;
}

/** Names that evaluate() returns itself. */
const reserved = ["loss", "examples"];

export class Problem {
  readonly parameters: readonly Parameter[];
  readonly #model: Model;
  readonly #loss: Loss;
  readonly #metrics: Readonly<Record<string, Metric>>;

  /** @throws RangeError when the model has no parameters, or for an invalid shape or name */
  constructor(model: Model, loss: Loss, metrics: Readonly<Record<string, Metric>>) {
    this.#model = model;
    this.#loss = loss;
    this.#metrics = { ...loss.metrics, ...metrics };
    this.parameters = Object.entries(model.parameters).map(([name, spec], i) => ({ ...spec, name, stateName: `p${i}` }));
    if (this.parameters.length === 0) throw new RangeError("optimize: the model has no parameters");
    for (const { name, shape } of this.parameters) checkShape(`parameter ${name}`, shape);
    for (const [name, spec] of Object.entries(model.inputs)) checkShape(`input ${name}`, "shape" in spec ? spec.shape : spec);
    if ("targets" in model.inputs) throw new RangeError("optimize: an input is named targets; this name is reserved for the targets of the loss");
    const taken = reserved.find((name) => name in this.#metrics);
    if (taken) throw new RangeError(`optimize: a metric is named ${taken}; this name is reserved`);
  }

  /** @throws TypeError or RangeError naming what is wrong with the batch */
  check(batch: Partial<Batch>): CheckedBatch {
    return new CheckedBatch(batch, this.#model.inputs, this.#loss.targets);
  }

  /** @throws RangeError when the loss does not allow the targets */
  checkTargets({ targets }: CheckedBatch, outputs: Shape): void {
    const problem = targets && this.#loss.check?.(targets, outputs);
    if (problem) throw new RangeError(`batch: ${problem}`);
  }

  /** The model's outputs, from parameters in the order of `this.parameters`. */
  outputs(batch: CheckedBatch, parameters: readonly Node[]): Node {
    return this.#model.forward(batch.inputNodes(), Object.fromEntries(this.parameters.map(({ name }, i) => [name, parameters[i]!])));
  }

  /** Mean loss of a batch. @throws Error when it is not a scalar */
  loss(batch: CheckedBatch, outputs: Node): Node {
    return scalar("the loss", this.#loss.loss(outputs, batch.targetNode(outputs.shape)));
  }

  /** Sums of the loss and of every metric over a batch. */
  sums(batch: CheckedBatch, outputs: Node): Record<string, Node> {
    const target = batch.targetNode(outputs.shape);
    return {
      loss: mul(constant(batch.size), this.loss(batch, outputs)),
      ...Object.fromEntries(
        Object.entries(this.#metrics).map(([name, metric]) => [name, cast(scalar(`metric ${name}`, metric(outputs, target)), "float")]),
      ),
    };
  }
}

function scalar(what: string, node: Node): Node {
  if (!isScalar(node)) throw new RangeError(`${what} has shape [${node.shape.join(", ")}]; it must be a scalar, such as the result of ops.mean() or ops.dot()`);
  return node;
}

function checkShape(what: string, shape: Shape): void {
  if (shape.some((n) => !Number.isInteger(n) || n < 1) || !Number.isSafeInteger(sizeOf(shape))) {
    throw new RangeError(`optimize: ${what} has shape [${shape.join(", ")}]; allowed: whole numbers from 1`);
  }
}
