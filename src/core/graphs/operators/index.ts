/** The table of operators. */
import { attentionOperators } from "./attention.ts";
import { controlOperators } from "./control.ts";
import { elementwiseOperators } from "./elementwise.ts";
import { imageOperators } from "./images.ts";
import { indexingOperators } from "./indexing.ts";
import { normalizationOperators } from "./norms.ts";
import type { Operators } from "./operator.ts";
import { productOperators } from "./products.ts";
import { recurrentOperators } from "./recurrent.ts";
import { reductionOperators } from "./reductions.ts";
import { shapeOperators } from "./shapes.ts";

/** Every operator of ONNX's own domain that a network may have, by name. */
export const graphOperators: Operators = {
  ...attentionOperators,
  ...controlOperators,
  ...elementwiseOperators,
  ...imageOperators,
  ...indexingOperators,
  ...normalizationOperators,
  ...productOperators,
  ...recurrentOperators,
  ...reductionOperators,
  ...shapeOperators,
};
