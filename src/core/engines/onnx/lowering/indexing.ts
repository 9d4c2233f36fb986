/** Rows of a table by index, in ONNX. */
import { sizeOf } from "../../../program/node.ts";
import type { Lowering } from "./rule.ts";
import { onnxType } from "../model.ts";

export const indexingLowerings = {
  gather: ((_, inputs, write) => write.emit("Gather", inputs, { axis: { int: 0 } })) satisfies Lowering<"gather">,
  scatterAdd: ((node, [values, indices], write) => {
    const count = sizeOf(node.inputs[1]!.shape);
    const flat = write.emit("Reshape", [values!, write.integers([count, node.shape[1]!])]);
    const places = write.emit("Cast", [write.emit("Reshape", [indices!, write.integers([count, 1])])], { to: { int: onnxType.int64 } });
    return write.emit("ScatterND", [write.zeros(node.shape), places, flat], { reduction: { text: "add" } });
  }) satisfies Lowering<"scatterAdd">,
};
