/** The traces' problems as training tasks. */
import { z } from "zod";
import type { Node } from "../../src/core/program/node.ts";
import { add, constant, dot, input, logSoftmax, matmul, mul, oneHot, reshape, sub, tanh } from "../../src/core/program/operations/index.ts";
import type { Task } from "../../src/core/tasks/task.ts";
import type { InputValue } from "../../src/core/engines/engine.ts";

const matrix = z.array(z.array(z.number()));
const vector = z.array(z.number());
const parameters = z.record(z.string(), z.union([vector, matrix]));

const mlp = z.object({
  kind: z.literal("mlp"),
  outputTanh: z.boolean(),
  paramOrder: z.array(z.string()),
  initialParams: parameters,
  x: matrix,
  y: vector,
});

const leastSquares = z.object({
  kind: z.literal("leastsquares"),
  paramOrder: z.array(z.string()),
  initialParams: parameters,
  X: matrix,
  t: vector,
});

export const problems = z.array(z.discriminatedUnion("kind", [mlp, leastSquares]));
export type Problem = z.infer<typeof problems>[number];

interface ProblemTask {
  readonly task: Task;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly batchSize: number;
  readonly initialParameters: Readonly<Record<string, Float64Array>>;
}

const shapeOf = (value: number[] | number[][]) => {
  const first = value[0];
  return Array.isArray(first) ? [value.length, first.length] : [value.length];
};

export function problemTask(problem: Problem): ProblemTask {
  const initial = problem.paramOrder.map((name) => [name, problem.initialParams[name]!] as const);
  const shared = {
    initialParameters: Object.fromEntries(initial.map(([name, value]) => [name, Float64Array.from(value.flat())])),
  };
  const parameters = initial.map(([name, value]) => ({ name, shape: shapeOf(value) }));
  const task = (loss: (parameters: readonly Node[], batchSize: number) => Node): Task => ({
    parameters,
    buffers: {},
    loss: (values, batchSize) => ({ loss: loss(values, batchSize) }),
    metrics: (values, batchSize) => ({ outputs: { loss: mul(constant(batchSize), loss(values, batchSize)) } }),
    measures: (sums, count) => ({ loss: sums["loss"]! / count }),
  });
  if (problem.kind === "mlp") {
    return {
      ...shared,
      batchSize: problem.x.length,
      inputs: { x: Float64Array.from(problem.x.flat()), y: Int32Array.from(problem.y) },
      task: task(([w1, b1, w2, b2], batchSize) => {
        const h = tanh(add(matmul(input("x", [batchSize, problem.x[0]!.length]), w1!, { transposeB: true }), b1!));
        const z = add(matmul(h, w2!, { transposeB: true }), b2!);
        const logp = logSoftmax(problem.outputTanh ? tanh(z) : z);
        const target = oneHot(input("y", [batchSize], "int32"), logp.shape[1]!);
        return mul(constant(-1 / batchSize), dot(logp, target));
      }),
    };
  }
  return {
    ...shared,
    batchSize: problem.X.length,
    inputs: { X: Float64Array.from(problem.X.flat()), t: Float64Array.from(problem.t) },
    task: task(([w, b], batchSize) => {
      const width = problem.X[0]!.length;
      const product: Node = matmul(input("X", [batchSize, width]), reshape(w!, [width, 1]));
      const residual = sub(add(reshape(product, [batchSize]), b!), input("t", [batchSize]));
      return mul(constant(1 / batchSize), dot(residual, residual));
    }),
  };
}
