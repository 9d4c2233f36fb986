/** Convolutions and pools as data: shapes, parameters, titles. */
import type { LayerFacts, ParameterDescription } from "./describe.ts";
import { beginsBiasesAtZero, fans, kaimingUniformBound, weightInitialization, type Initialization, type InitializationName } from "./initialization.ts";
import type { Config } from "./layers.ts";
import { ModelError, sequenceOf, wants } from "./modelError.ts";
import { shapeText, values, type Signal } from "./shape.ts";
import { pairOf, pairText, positionsAlong, sidesOf, sizesText, type Pair } from "./sizes.ts";

/** @throws ModelError where the input is no image */
export function imageOf(layer: string, input: Signal): readonly [channels: number, height: number, width: number] {
  const [channels, height, width, ...more] = input.shape;
  if (input.kind !== "values" || width === undefined || more.length > 0) throw wants(layer, "images (channels × height × width)", input);
  return [channels!, height!, width];
}

/** A bias as PyTorch's layers begin it; GPT-2's schemes begin it at 0. */
export function biasOf(config: { bias: boolean; initialization: InitializationName }, size: number, fanIn: number): ParameterDescription[] {
  const initialization: Initialization = beginsBiasesAtZero(config.initialization) ? { scheme: "constant", value: 0 } : { scheme: "uniform", bound: 1 / Math.sqrt(fanIn) };
  return config.bias ? [{ name: "bias", shape: [size], initialization }] : [];
}

type Convolved = Config<"conv1d"> | Config<"conv2d"> | Config<"convTranspose2d">;

/** @param shape of the weight */
function parametersOf(config: Convolved, shape: readonly number[]): ParameterDescription[] {
  const { fanIn } = fans(shape);
  const byDefault: Initialization = { scheme: "uniform", bound: kaimingUniformBound(fanIn, Math.sqrt(5)) };
  return [{ name: "weight", shape, initialization: weightInitialization(config.initialization, shape, byDefault) }, ...biasOf(config, config.channels, fanIn)];
}

function checkGroups({ kind, groups, channels }: Convolved, into: number): void {
  if (into % groups === 0 && channels % groups === 0) return;
  throw new ModelError(`${kind} has ${groups} groups, which must divide its ${channels} channels and the ${into} it gets`);
}

const dilatedText = (kernel: readonly number[], dilations: readonly number[]) =>
  dilations.every((n) => n === 1) ? "" : ` dilated to ${kernel.map((n, axis) => dilations[axis]! * (n - 1) + 1).join(" × ")}`;

const conv2d = (config: Config<"conv2d">, input: Signal): LayerFacts => {
  const [into, ...size] = imageOf("conv2d", input);
  const { channels, padding, groups } = config;
  const [kernel, strides, dilations, pads] = [pairOf(config.kernel), pairOf(config.stride), pairOf(config.dilation), sidesOf(padding)];
  const places = size.map((n, axis) => positionsAlong(n, kernel[axis]!, strides[axis]!, pads[axis]! + pads[axis + 2]!, dilations[axis]!));
  if (places.some((n) => n < 1)) {
    const padded = size.map((n, axis) => n + pads[axis]! + pads[axis + 2]!).join(" × ");
    throw new ModelError(`conv2d has a kernel of ${kernel.join(" × ")}${dilatedText(kernel, dilations)}; with a padding of ${sizesText(padding)} it gets ${padded}`);
  }
  checkGroups(config, into);
  const shape = [channels, into / groups, ...kernel];
  return { output: values(channels, ...places), parameters: parametersOf(config, shape), flops: 2 * fans(shape).fanIn * channels * places[0]! * places[1]! };
};

const conv1d = (config: Config<"conv1d">, input: Signal): LayerFacts => {
  const [steps, into] = sequenceOf("conv1d", input);
  const { channels, kernel, stride, dilation, groups, padding } = config;
  const [before, after] = pairOf(padding);
  const places = positionsAlong(steps, kernel, stride, before + after, dilation);
  if (places < 1) {
    throw new ModelError(`conv1d has a kernel of ${kernel}${dilatedText([kernel], [dilation])}; with a padding of ${sizesText(padding)} it gets ${steps + before + after} steps`);
  }
  checkGroups(config, into);
  const shape = [channels, into / groups, kernel];
  return { output: values(places, channels), parameters: parametersOf(config, shape), flops: 2 * fans(shape).fanIn * channels * places };
};

/** The weight is `[in, out / groups, kernel, kernel]`, as PyTorch's nn.ConvTranspose2d. */
const convTranspose2d = (config: Config<"convTranspose2d">, input: Signal): LayerFacts => {
  const [into, ...size] = imageOf("convTranspose2d", input);
  const { channels, groups, padding, outputPadding, stride } = config;
  const [kernel, strides, dilations, pads, more] = [pairOf(config.kernel), pairOf(stride), pairOf(config.dilation), sidesOf(padding), pairOf(outputPadding)];
  if (more.some((n, axis) => n >= strides[axis]!)) {
    throw new ModelError(`convTranspose2d has an output padding of ${sizesText(outputPadding)}, which must be below the stride of ${sizesText(stride)}`);
  }
  const whole = size.map((n, axis) => (n - 1) * strides[axis]! + dilations[axis]! * (kernel[axis]! - 1) + 1 + more[axis]!);
  const places = whole.map((n, axis) => n - pads[axis]! - pads[axis + 2]!);
  if (places.some((n) => n < 1)) throw new ModelError(`convTranspose2d has a padding of ${sizesText(padding)}, which leaves nothing of ${whole.join(" × ")}`);
  checkGroups(config, into);
  const shape = [into, channels / groups, ...kernel];
  return { output: values(channels, ...places), parameters: parametersOf(config, shape), flops: 2 * fans(shape).fanIn * into * size[0] * size[1] };
};

type PoolConfig = Config<"maxPool"> | Config<"avgPool">;

export const poolStride = ({ size, stride }: Pick<PoolConfig, "size" | "stride">): Pair => pairOf(stride === "size" ? size : stride);

const pooled = (config: PoolConfig, input: Signal): LayerFacts => {
  const [channels, ...size] = imageOf(config.kind, input);
  const { kind, padding } = config;
  const [windows, strides, pads] = [pairOf(config.size), poolStride(config), sidesOf(padding)];
  const isPadded = pads.some((n) => n > 0);
  const places = size.map((n, axis) => positionsAlong(n, windows[axis]!, strides[axis]!, pads[axis]! + pads[axis + 2]!));
  if (places.some((n) => n < 1)) {
    throw new ModelError(`${kind} has windows of ${windows.join(" × ")}; ${isPadded ? `with a padding of ${sizesText(padding)} ` : ""}it gets ${shapeText(input)}`);
  }
  if (pads.some((n, side) => n >= windows[side % 2]!)) {
    throw new ModelError(`${kind} has a padding of ${sizesText(padding)}, which must be below its windows of ${windows.join(" × ")}`);
  }
  return { output: values(channels, ...places) };
};

export const convolutionDescribers = {
  conv2d,
  conv1d,
  convTranspose2d,
  maxPool: pooled,
  avgPool: pooled,
  globalAvgPool: (_: Config<"globalAvgPool">, input: Signal): LayerFacts => ({ output: values(imageOf("globalAvgPool", input)[0]) }),
  globalMaxPool: (_: Config<"globalMaxPool">, input: Signal): LayerFacts => ({ output: values(imageOf("globalMaxPool", input)[0]) }),
};

const unless = (text: string, isUsual: boolean) => (isUsual ? [] : [text]);
const isOne = (value: number | Pair) => pairOf(value).every((n) => n === 1);
/** One number as it is, two as a rectangle. */
const shortText = (value: string | number | Pair) => (typeof value === "object" ? pairText(value) : String(value));

/** Kind and settings: `conv2d 3 × 3, stride 2`. */
export function convolutionTitle({ kind, kernel, stride, dilation, groups }: Convolved): string {
  return [
    `${kind} ${kind === "conv1d" ? String(kernel) : pairText(kernel)}`,
    ...unless(`stride ${shortText(stride)}`, isOne(stride)),
    ...unless(`dilation ${shortText(dilation)}`, isOne(dilation)),
    ...unless(`${groups} groups`, groups === 1),
  ].join(", ");
}

/** Kind and settings: `maxPool 3 × 3, stride 2, padding 1`. */
export function poolTitle({ kind, size, stride, padding }: PoolConfig): string {
  return [
    `${kind} ${pairText(size)}`,
    ...unless(`stride ${shortText(stride)}`, stride === "size"),
    ...unless(`padding ${sizesText(padding)}`, sidesOf(padding).every((n) => n === 0)),
  ].join(", ");
}
