/** Inputs and outputs of layers, for one example. */

/** Sizes of the axes, outermost first. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

export interface Values {
  readonly kind: "values";
  /** `[width]`, an image `[channels, height, width]` or a sequence `[steps, width]`. */
  readonly shape: Shape;
}

/** A token sequence, `[steps]`, each from 0 to `vocabulary` - 1. */
export interface Tokens {
  readonly kind: "tokens";
  readonly shape: readonly [steps: number];
  readonly vocabulary: number;
}

export type Signal = Values | Tokens;

/** Inputs and required outputs of a dataset. */
export interface DataShape {
  readonly input: Signal;
  /** Number of classes; for a text, of characters. */
  readonly classes: number;
}

/** What a layer can know of the whole model. */
export interface ModelContext extends DataShape {
  /** Number of residual blocks. */
  readonly residualBlocks: number;
  /** Width of the embedding of this name; undefined where there is none before the layer. */
  embeddingWidth(name: string): number | undefined;
}

/** Formats a shape: `3 × 32 × 32`. */
export function shapeText({ kind, shape }: Signal): string {
  return kind === "tokens" ? `${shape[0]} symbols` : shape.join(" × ");
}

export const values = (...shape: number[]): Values => ({ kind: "values", shape });
