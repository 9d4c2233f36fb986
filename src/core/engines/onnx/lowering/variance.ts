/** Variance, in ONNX. */
import { sizeOf } from "../../../program/node.ts";
import type { Lowering } from "./rule.ts";

/** In two passes, by definition: E[x²] - E[x]² would cancel in float32. */
export const varianceLowering: Lowering<"variance"> = (node, [x], write) => {
  const axes = write.integers(node.attributes.axes);
  const count = sizeOf(node.inputs[0]!.shape) / sizeOf(node.shape);
  const mean = write.emit("ReduceMean", [x!, axes], { keepdims: { int: 1 } });
  const squares = write.emit("ReduceSumSquare", [write.emit("Sub", [x!, mean]), axes], { keepdims: { int: 1 } });
  return write.emit("Mul", [squares, write.float(1 / count)]);
};
