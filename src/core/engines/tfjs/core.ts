/** TensorFlow.js itself, which is an extra: its backends must come from the same folder, for they register with it. */
import type * as TensorFlow from "@tensorflow/tfjs-core";
import { requireExtra } from "../../extras/index.ts";

export type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";

/** @throws ExtraMissing when this module loads and TensorFlow.js is not installed */
export const tf = requireExtra<typeof TensorFlow>("@tensorflow/tfjs-core");
