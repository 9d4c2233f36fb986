/** Initialization schemes, named as in PyTorch's torch.nn.init. */
import type { Shape } from "./shape.ts";

export const initializationNames = [
  "default",
  "kaiming_uniform",
  "kaiming_normal",
  "xavier_uniform",
  "xavier_normal",
  "orthogonal",
  "normal",
  "zeros",
  "gpt2",
  "gpt2_residual",
] as const;

/** `default` is the default of PyTorch's layer. */
export type InitializationName = (typeof initializationNames)[number];

/** Distribution of initial values. */
export type Initialization =
  | { readonly scheme: "uniform"; readonly bound: number }
  | { readonly scheme: "normal"; readonly deviation: number }
  | { readonly scheme: "orthogonal" }
  | { readonly scheme: "constant"; readonly value: number };

/** Standard deviation of `normal` and `gpt2`. */
export const normalDeviation = 0.02;

/** GPT-2's schemes (Radford et al. 2019, as in nanoGPT) begin biases at 0. */
export const beginsBiasesAtZero = (name: InitializationName): boolean => name === "gpt2" || name === "gpt2_residual";

/** Numbers of inputs and outputs of a weight `[out, in, ...kernel]`, as PyTorch counts them. */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [out = 1, into = 1, ...kernel] = shape;
  const field = kernel.reduce((product, n) => product * n, 1);
  return { fanIn: into * field, fanOut: out * field };
}

/** Bound of Kaiming-uniform (He et al. 2015) for a leaky slope `a`: sqrt(6 / ((1 + a^2) fanIn)). */
export function kaimingUniformBound(fanIn: number, a: number): number {
  return Math.sqrt(6 / ((1 + a * a) * fanIn));
}

/**
 * The named scheme for a weight: He et al. 2015 (relu gain, fan-in), Glorot and Bengio 2010, Saxe
 * et al. 2014.
 * @param byDefault scheme that `default` stands for
 * @param residualBlocks of the whole model; `gpt2_residual` divides by the square root of their number
 */
export function weightInitialization(name: InitializationName, shape: Shape, byDefault: Initialization, residualBlocks = 0): Initialization {
  const { fanIn, fanOut } = fans(shape);
  switch (name) {
    case "default":
      return byDefault;
    case "kaiming_uniform":
      return { scheme: "uniform", bound: kaimingUniformBound(fanIn, 0) };
    case "kaiming_normal":
      return { scheme: "normal", deviation: Math.sqrt(2 / fanIn) };
    case "xavier_uniform":
      return { scheme: "uniform", bound: Math.sqrt(6 / (fanIn + fanOut)) };
    case "xavier_normal":
      return { scheme: "normal", deviation: Math.sqrt(2 / (fanIn + fanOut)) };
    case "orthogonal":
      return { scheme: "orthogonal" };
    case "normal":
    case "gpt2":
      return { scheme: "normal", deviation: normalDeviation };
    case "gpt2_residual":
      return { scheme: "normal", deviation: normalDeviation / Math.sqrt(Math.max(residualBlocks, 1)) };
    case "zeros":
      return { scheme: "constant", value: 0 };
  }
}
