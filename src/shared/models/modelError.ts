/** The error of a model that does not fit, and the checks of a layer's input. */
import { shapeText, type Signal } from "./shape.ts";

/** An invalid model; says which layer does not fit. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  /** Path of the field, from `model`. */
  readonly path: readonly (string | number)[];

  constructor(message: string, path: readonly (string | number)[] = []) {
    super(message);
    this.path = path;
  }
}

/** A layer gets an input of the wrong form. */
export const wants = (layer: string, wanted: string, input: Signal) => new ModelError(`${layer} needs ${wanted}; it gets ${shapeText(input)}`);

/** @throws ModelError where the input is no sequence of vectors */
export function sequenceOf(layer: string, input: Signal): readonly [steps: number, width: number] {
  const [steps, width, ...more] = input.shape;
  if (input.kind !== "values" || width === undefined || more.length > 0) throw wants(layer, "sequences (steps × width)", input);
  return [steps!, width];
}
