/** Entries by index and sums along an axis, in ONNX. */
import { sizeOf } from "../../../program/node.ts";
import type { Lowering } from "./rule.ts";
import { onnxType } from "../model.ts";

export const indexingLowerings = {
  gather: ((node, inputs, write) => write.emit("Gather", inputs, { axis: { int: node.attributes.axis ?? 0 } })) satisfies Lowering<"gather">,
  scatterAdd: ((node, [values, indices], write) => {
    const count = sizeOf(node.inputs[1]!.shape);
    const flat = write.emit("Reshape", [values!, write.integers([count, node.shape[1]!])]);
    const places = write.emit("Cast", [write.emit("Reshape", [indices!, write.integers([count, 1])])], { to: { int: onnxType.int64 } });
    return write.emit("ScatterND", [write.zeros(node.shape), places, flat], { reduction: { text: "add" } });
  }) satisfies Lowering<"scatterAdd">,
  cumulativeSum: (({ attributes: { axis, exclusive, reverse } }, [x], write) =>
    write.emit("CumSum", [x!, write.integers([axis])], { exclusive: { int: Number(exclusive) }, reverse: { int: Number(reverse) } })) satisfies Lowering<"cumulativeSum">,
};
